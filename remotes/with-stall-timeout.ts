import { Readable, Transform } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'

const ANSWER_MS = 60_000
/** A write reads ahead of what it has sent, so it seems to rest while the last of it travels. */
const WRITE_MS = 600_000

/**
 * Ends what makes no progress: a request without an answer, a read of which no byte comes, a write of which no byte
 * goes. What moves may take as long as it likes.
 */
export function withStallTimeout(
  inner: Remote,
  { answerMs = ANSWER_MS, writeMs = WRITE_MS }: { answerMs?: number; writeMs?: number } = {},
): Remote {
  const { label } = inner

  /** Runs `request`; `watch.progress()` gives it as much time again. */
  async function watched<T>(
    what: string,
    options: { stallMs: number; outer?: AbortSignal | undefined },
    request: (watch: { signal: AbortSignal; progress: () => void }) => Promise<T>,
  ): Promise<T> {
    const { stallMs, outer } = options
    const controller = new AbortController()
    const stop = () => controller.abort(stalled(label, what, stallMs))
    const timer = setTimeout(stop, stallMs)
    const abort = () => controller.abort(outer?.reason)
    outer?.addEventListener('abort', abort, { once: true })
    if (outer?.aborted) abort()
    try {
      // Not every kind can end a request that it has made: the wait for it ends all the same.
      return await new Promise<T>((resolve, reject) => {
        controller.signal.addEventListener('abort', () => {
          if (controller.signal.reason instanceof VarveError) reject(controller.signal.reason)
        })
        request({ signal: controller.signal, progress: () => void timer.refresh() }).then(resolve, reject)
      })
    } finally {
      clearTimeout(timer)
      outer?.removeEventListener('abort', abort)
    }
  }

  return {
    label,
    stat: (key) => watched(`looking for ${key}`, { stallMs: answerMs }, () => inner.stat(key)),
    async read(key, options = {}) {
      const what = `reading ${key}`
      const controller = new AbortController()
      const { signal: outer } = options
      const abort = () => controller.abort(outer?.reason)
      outer?.addEventListener('abort', abort, { once: true })
      if (outer?.aborted) abort()
      const forget = () => outer?.removeEventListener('abort', abort)
      try {
        const stream = await watched(what, { stallMs: answerMs }, () =>
          inner.read(key, { ...options, signal: controller.signal }),
        )
        stream.once('close', forget)
        return endWhenStalled(stream, answerMs, () => stalled(label, what, answerMs))
      } catch (error) {
        controller.abort(error)
        forget()
        throw error
      }
    },
    write: (key, source, options = {}) =>
      watched(`writing ${key}`, { stallMs: writeMs, outer: options.signal }, ({ signal, progress }) =>
        inner.write(
          key,
          { sizeBytes: source.sizeBytes, open: () => withProgress(source.open(), progress) },
          { ...options, signal },
        ),
      ),
    async *list(prefix) {
      const entries = inner.list(prefix)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next = await watched(`listing ${prefix}`, { stallMs: answerMs }, () => entries.next())
          if (next.done) return
          yield next.value
        }
      } finally {
        // One that hangs would hang here too.
        void entries.return?.()
      }
    },
    remove: (key) => watched(`removing ${key}`, { stallMs: answerMs }, () => inner.remove(key)),
  }
}

/** Time passes only while the reader waits for the next piece. */
function endWhenStalled(stream: Readable, stallMs: number, error: () => VarveError): Readable {
  async function* pieces() {
    const timer = setTimeout(() => stream.destroy(error()), stallMs)
    try {
      for await (const piece of stream) {
        clearTimeout(timer)
        yield piece
        timer.refresh()
      }
    } finally {
      clearTimeout(timer)
    }
  }
  const watched = Readable.from(pieces(), { objectMode: false })
  // One that is left before its first piece never runs the loop that would end the response.
  watched.once('close', () => stream.destroy())
  return watched
}

function withProgress(stream: Readable, progress: () => void): Readable {
  const meter = new Transform({
    transform(piece: Buffer, _encoding, done) {
      progress()
      done(null, piece)
    },
  })
  stream.once('error', (error) => meter.destroy(error))
  meter.once('close', () => stream.destroy())
  return stream.pipe(meter)
}

function stalled(label: string, what: string, stallMs: number): VarveError {
  const seconds = Math.round(stallMs / 1000)
  return new VarveError('REMOTE_FAILED', `${label}: nothing has moved for ${seconds} s while ${what}`, {
    hint: 'Check the network, and run the command again: it goes on where it was.',
    retryable: true,
  })
}
