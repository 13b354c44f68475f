import { setMaxListeners } from 'node:events'
import type { Remote } from '../core/remote.ts'
import { destroyOnAbort, throwIfAborted } from './interruption.ts'

/** For what tidies up after an interruption. */
const GRACE_MS = 3_000

/**
 * Ends every wait for the remote when `signal` is aborted, whether the remote can end the request or not: a host may be
 * silent, or a request be waiting for its next attempt. What is asked for after that, to tidy up, is given a moment.
 */
export function withInterruption(inner: Remote, signal: AbortSignal, { graceMs = GRACE_MS } = {}): Remote {
  setMaxListeners(0, signal)

  async function unlessInterrupted<T>(what: string, request: () => Promise<T>): Promise<T> {
    let stop: (() => void) | undefined
    let timer: NodeJS.Timeout | undefined
    const interrupted = new Promise<void>((resolve) => {
      stop = resolve
      if (signal.aborted) timer = setTimeout(resolve, graceMs)
      else signal.addEventListener('abort', stop as () => void, { once: true })
    }).then(() => throwIfAborted(signal, what)) as Promise<never>
    // Where the request has failed first, nobody waits for it any more.
    interrupted.catch(() => undefined)
    try {
      return await Promise.race([request(), interrupted])
    } finally {
      clearTimeout(timer)
      if (stop !== undefined) signal.removeEventListener('abort', stop)
    }
  }

  return {
    label: inner.label,
    stat: (key) => unlessInterrupted(`looking for ${key}`, () => inner.stat(key)),
    async read(key, options) {
      const what = `reading ${key}`
      const isLate = signal.aborted
      const stream = await unlessInterrupted(what, () => inner.read(key, options))
      if (!isLate) destroyOnAbort(stream, signal, what)
      return stream
    },
    write: (key, source, options) =>
      unlessInterrupted(`writing ${key}`, () => inner.write(key, source, options)),
    async *list(prefix) {
      const entries = inner.list(prefix)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next = await unlessInterrupted(`listing ${prefix}`, () => entries.next())
          if (next.done) return
          yield next.value
        }
      } finally {
        // One that hangs would hang here too.
        entries.return?.().catch(() => undefined)
      }
    },
    remove: (key) => unlessInterrupted(`removing ${key}`, () => inner.remove(key)),
  }
}
