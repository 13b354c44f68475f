import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { bodyLength } from './body-length.ts'
import type { Fault } from './fault.ts'
import { flipBit } from './flip-bit.ts'

export type RelayOptions = {
  fault: Fault | undefined
  random: () => number
  /** Called when the fault is done. */
  onFault: () => void
  pause: () => Promise<void>
}

/** Passes the target's answer on, with what a fault does to it. */
export async function relayAnswer(
  upstream: IncomingMessage,
  response: ServerResponse,
  options: RelayOptions,
): Promise<void> {
  const { fault, random, onFault } = options
  if (fault === 'reset-after') {
    for await (const _ of upstream) {
      // Taken to its end, so that the target has done its work.
    }
    onFault()
    return reset(response)
  }
  response.sendDate = false
  response.writeHead(upstream.statusCode ?? 502, upstream.statusMessage, upstream.rawHeaders)
  const length = response.req.method === 'HEAD' ? 0 : bodyLength(upstream)
  if (fault === 'reset-midway' || fault === 'truncate' || fault === 'stall-midway') {
    if (length > 0) return breakWithin(upstream, response, { ...options, at: Math.floor(random() * length) })
  }
  if (fault === 'corrupt' && length > 0) {
    const flip = flipBit({
      offset: Math.floor(random() * length),
      bit: Math.floor(random() * 8),
      onFlip: onFault,
    })
    return pipeline(upstream, flip, response)
  }
  return pipeline(upstream, response)
}

export function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy()
}

/** Passes on the bytes before `at`, and the rest after a pause or not at all. */
async function breakWithin(
  upstream: IncomingMessage,
  response: ServerResponse,
  { at, fault, onFault, pause }: RelayOptions & { at: number },
): Promise<void> {
  response.flushHeaders()
  let passed = 0
  for await (const piece of upstream as AsyncIterable<Buffer>) {
    const end = at - passed
    passed += piece.length
    if (end < 0 || end >= piece.length) {
      await write(response, piece)
      continue
    }
    if (end > 0) await write(response, piece.subarray(0, end))
    onFault()
    if (fault === 'truncate') return void response.socket?.end()
    if (fault === 'reset-midway') return reset(response)
    await pause()
    await write(response, piece.subarray(end))
  }
  response.end()
}

/** Settles when the bytes are with the operating system. */
function write(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(bytes, (error) => (error ? reject(error) : resolve()))
  })
}
