import { setMaxListeners } from 'node:events'
import { throwIfAborted } from '../interruption.ts'

/**
 * What `promise` gives, or INTERRUPTED as soon as `signal` is aborted: a server that does not answer must not
 * hold who gave up. The promise itself goes on, and its own failure is then nobody's.
 */
export async function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  doing: string,
): Promise<T> {
  if (signal === undefined) return promise
  promise.catch(() => undefined)
  throwIfAborted(signal, doing)
  setMaxListeners(0, signal)
  let stop = () => {}
  const aborted = new Promise<void>((resolve) => {
    stop = resolve
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    await Promise.race([promise, aborted])
    throwIfAborted(signal, doing)
    return await promise
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
