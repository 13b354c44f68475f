import { Readable } from 'node:stream'
import { type ErrorCode, VarveError } from '../../core/errors.ts'
import type { ByteRange, Remote } from '../../core/remote.ts'

export type RemoteCall = {
  verb: 'stat' | 'read' | 'write' | 'list' | 'remove'
  /** The prefix, of a listing. */
  key: string
  range?: ByteRange
  /** Of the calls of this verb on this key, from 1. */
  attempt: number
}

export type Faults = {
  /** What the call fails with at once. */
  fail?: (call: RemoteCall) => Error | undefined
  /** A write that does its work and then fails. */
  failAfter?: (call: RemoteCall) => Error | undefined
  /** Where a read or a listing breaks off, after so many bytes or entries. */
  breakOff?: (call: RemoteCall) => { after: number; error: Error } | undefined
}

/** A remote in front of `inner` that fails as it is told; `calls` are those that reached it. */
export function createFaultyRemote(inner: Remote, faults: Faults): Remote & { calls: RemoteCall[] } {
  const calls: RemoteCall[] = []

  function begin(verb: RemoteCall['verb'], key: string, range?: ByteRange): RemoteCall {
    const attempt = 1 + calls.filter((call) => call.verb === verb && call.key === key).length
    const call = { verb, key, attempt, ...(range && { range }) }
    calls.push(call)
    const error = faults.fail?.(call)
    if (error !== undefined) throw error
    return call
  }

  return {
    label: inner.label,
    calls,
    async stat(key) {
      begin('stat', key)
      return inner.stat(key)
    },
    async read(key, options = {}) {
      const call = begin('read', key, options.range)
      const stream = await inner.read(key, options)
      const end = faults.breakOff?.(call)
      return end === undefined ? stream : Readable.from(bytesUpTo(stream, end), { objectMode: false })
    },
    async write(key, source, options) {
      const call = begin('write', key)
      await inner.write(key, source, options)
      const error = faults.failAfter?.(call)
      if (error !== undefined) throw error
    },
    async *list(prefix) {
      const call = begin('list', prefix)
      const end = faults.breakOff?.(call)
      let count = 0
      for await (const entry of inner.list(prefix)) {
        if (count++ === end?.after) throw end.error
        yield entry
      }
      if (end !== undefined) throw end.error
    },
    async remove(key) {
      begin('remove', key)
      await inner.remove(key)
    },
  }
}

/** As a remote maps a failure that may pass. */
export function passingError(code: ErrorCode = 'REMOTE_FAILED'): VarveError {
  return new VarveError(code, 'a fault of the test', { hint: 'Run it again.', retryable: true })
}

async function* bytesUpTo(stream: Readable, end: { after: number; error: Error }): AsyncGenerator<Buffer> {
  let left = end.after
  for await (const piece of stream) {
    if (left > 0) yield (piece as Buffer).subarray(0, left)
    left -= (piece as Buffer).length
    if (left <= 0) break
  }
  throw end.error
}
