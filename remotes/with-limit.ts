import { finished, type Readable } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Remote, RemoteEntry } from '../core/remote.ts'
import { type Outcome, RequestSlots } from './request-slots.ts'

/**
 * No more than `most` requests at once; a read counts until its last byte. The number adapts: where the remote asks
 * for fewer (REMOTE_BUSY) it is halved, and with every round that goes well it grows by one, as TCP does.
 */
export function withLimit(inner: Remote, options: { most: number }): Remote {
  const slots = new RequestSlots(options.most)

  async function limited<T>(request: () => Promise<T>): Promise<T> {
    const slot = await slots.take()
    try {
      const answer = await request()
      slots.give(slot, 'done')
      return answer
    } catch (error) {
      slots.give(slot, outcomeOf(error))
      throw error
    }
  }

  return {
    label: inner.label,
    stat: (key) => limited(() => inner.stat(key)),
    async read(key, options) {
      const slot = await slots.take()
      let stream: Readable
      try {
        stream = await inner.read(key, options)
      } catch (error) {
        slots.give(slot, outcomeOf(error))
        throw error
      }
      // It calls back for a stream that is closed already, too.
      finished(stream, { writable: false }, (error) => slots.give(slot, outcomeOf(error)))
      return stream
    },
    write: (key, source, options) => limited(() => inner.write(key, source, options)),
    async *list(prefix) {
      // Between two entries the caller may make requests of its own.
      const entries = inner.list(prefix)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next: IteratorResult<RemoteEntry> = await limited(() => entries.next())
          if (next.done) return
          yield next.value
        }
      } finally {
        await entries.return?.()
      }
    },
    remove: (key) => limited(() => inner.remove(key)),
  }
}

/** A stream that its reader left was served well. */
function outcomeOf(error: unknown): Outcome {
  if (error === null || error === undefined || isLeft(error)) return 'done'
  return error instanceof VarveError && error.code === 'REMOTE_BUSY' ? 'refused' : 'failed'
}

function isLeft(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
}
