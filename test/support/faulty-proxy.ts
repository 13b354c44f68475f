import { createServer, type IncomingMessage, request as requestOf, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { bodyLength } from './faulty-proxy/body-length.ts'
import { chooseFault, FAULTS, type Fault, type FaultWeights } from './faulty-proxy/fault.ts'
import { flipBit } from './faulty-proxy/flip-bit.ts'
import { refusalOf } from './faulty-proxy/refusals.ts'
import { relayAnswer, reset } from './faulty-proxy/relay-answer.ts'
import { seededRandom } from './faulty-proxy/seeded-random.ts'

export type FaultyProxyOptions = {
  targetPort: number
  targetHost?: string
  faults: FaultWeights
  /** The part of the requests that a fault befalls, from 0 to 1; 1 where it is not given. */
  rate?: number
  seed?: number
  /** Of a stall, in milliseconds; where it is not given, a stall has no end. */
  stallMs?: number
  log?: (event: { method: string; url: string; fault: Fault }) => void
}

export type FaultyProxy = {
  url: string
  port: number
  /** Faults done so far. What could not be done, as there was no byte to do it to, is not counted. */
  counts: Record<Fault, number>
  /** Requests so far. */
  requests: number
  /** Requests that the target itself failed, with no fault of this proxy. */
  targetFailures: number
  setRate(rate: number): void
  setFaults(faults: FaultWeights): void
  /** Where set, only requests of which it says true are harmed. */
  only: ((method: string, url: string) => boolean) | undefined
  close(): Promise<void>
}

/**
 * A proxy on the loopback interface that passes requests and answers on as they are, streaming, with all their headers
 * (so that signatures hold), and does harm to some of them. The faults follow from the seed and the order of requests.
 */
export async function startFaultyProxy(options: FaultyProxyOptions): Promise<FaultyProxy> {
  const { targetPort: port, targetHost: host = '127.0.0.1', stallMs, log } = options
  let { faults, rate = 1 } = options
  const random = seededRandom(options.seed ?? 1)
  const timers = new Set<NodeJS.Timeout>()

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      if (stallMs === undefined) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        resolve()
      }, stallMs)
      timers.add(timer)
    })
  }

  async function handle(
    message: IncomingMessage,
    response: ServerResponse,
    mustContinue: boolean,
  ): Promise<void> {
    const { method = '', url = '' } = message
    proxy.requests++
    // Drawn for every request, so that what befalls one does not hang on what befell those before.
    const [chance, choice] = [random(), random()]
    const isMarked = chance < rate && (proxy.only?.(method, url) ?? true)
    const fault = isMarked
      ? chooseFault(faults, { random: choice, hasBody: bodyLength(message) > 0 })
      : undefined
    const onFault = () => {
      if (fault === undefined) return
      proxy.counts[fault]++
      log?.({ method, url, fault })
    }

    if (fault === 'reset-before') {
      onFault()
      return reset(response)
    }
    const refusal = refusalOf(fault)
    if (refusal !== undefined) {
      onFault()
      return refuse(message, response, { ...refusal, mustContinue })
    }
    if (fault === 'stall') {
      onFault()
      await pause()
      // Who gave up meanwhile asks again: what was asked first must not be done behind that.
      if (response.destroyed) return
    }
    await forward(message, response, { fault, onFault, mustContinue })
  }

  async function forward(
    message: IncomingMessage,
    response: ServerResponse,
    {
      fault,
      onFault,
      mustContinue,
    }: { fault: Fault | undefined; onFault: () => void; mustContinue: boolean },
  ): Promise<void> {
    // A connection of its own: one that is kept may be closed by the target just when it is used again.
    const headers = message.rawHeaders
    const upstream = requestOf({
      host,
      port,
      method: message.method,
      path: message.url,
      headers,
      agent: false,
    })
    response.on('close', () => upstream.destroy())
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      upstream.on('response', resolve)
      upstream.on('error', reject)
    })
    const length = bodyLength(message)
    const send = () =>
      fault === 'corrupt-request'
        ? pipeline(
            message,
            flipBit({
              offset: Math.floor(random() * length),
              bit: Math.floor(random() * 8),
              onFlip: onFault,
            }),
            upstream,
          )
        : pipeline(message, upstream)
    // A target may answer before it has the whole body; what then becomes of the rest does not matter.
    if (!mustContinue) send().catch(() => undefined)
    else {
      upstream.flushHeaders()
      upstream.on('continue', () => {
        response.writeContinue()
        send().catch(() => undefined)
      })
    }
    let answer: IncomingMessage
    try {
      answer = await answered
    } catch {
      if (!response.destroyed) proxy.targetFailures++
      return reset(response)
    }
    await relayAnswer(answer, response, { fault, random, onFault, pause }).catch(() => reset(response))
  }

  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 })
  server.on('request', (message, response) => void handle(message, response, false))
  server.on('checkContinue', (message, response) => void handle(message, response, true))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const ownPort = (server.address() as AddressInfo).port
  const proxy: FaultyProxy = {
    url: `http://127.0.0.1:${ownPort}`,
    port: ownPort,
    counts: Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>,
    requests: 0,
    targetFailures: 0,
    setRate: (value) => {
      rate = value
    },
    setFaults: (value) => {
      faults = value
    },
    only: undefined,
    async close() {
      for (const timer of timers) clearTimeout(timer)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
  return proxy
}

/** Answers when the body is there, as a server does that reads its requests to the end. */
async function refuse(
  message: IncomingMessage,
  response: ServerResponse,
  { status, body, mustContinue }: { status: number; body: string; mustContinue: boolean },
): Promise<void> {
  try {
    if (!mustContinue) await drain(message)
  } catch {
    return
  }
  response.writeHead(status, {
    'content-type': 'application/xml',
    'content-length': Buffer.byteLength(body),
    // A client that was not told to go on never sends the body.
    ...(mustContinue && { connection: 'close' }),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

async function drain(pieces: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of pieces) {
    // Nobody wants it.
  }
}
