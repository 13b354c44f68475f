import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { VarveError } from '../core/errors.ts'

/** @throws INTERRUPTED, or the signal's reason where that is a VarveError, once `signal` is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined, doing: string): void {
  if (signal?.aborted) throw interruption(signal, doing)
}

/** Ends `stream` with the same error as `throwIfAborted` when `signal` is aborted, now or later. */
export function destroyOnAbort(stream: Readable, signal: AbortSignal | undefined, doing: string): void {
  if (signal === undefined) return
  const destroy = () => {
    stream.destroy(interruption(signal, doing))
  }
  // An interruption that comes before the reader has begun must not end the process; the reader meets the
  // error when it begins.
  stream.on('error', () => undefined)
  if (signal.aborted) {
    destroy()
    return
  }
  // One signal ends a whole transfer: more streams than the ten that Node takes for a leak.
  setMaxListeners(0, signal)
  signal.addEventListener('abort', destroy, { once: true })
  stream.once('close', () => signal.removeEventListener('abort', destroy))
}

function interruption(signal: AbortSignal, doing: string): VarveError {
  if (signal.reason instanceof VarveError) return signal.reason
  return new VarveError('INTERRUPTED', `interrupted while ${doing}`, { cause: signal.reason })
}
