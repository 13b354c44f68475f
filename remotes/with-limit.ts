import type { Readable } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Remote, RemoteEntry } from '../core/remote.ts'
import { RequestSlots } from './request-slots.ts'

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
      slots.give(slot, isBusy(error) ? 'refused' : 'failed')
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
        slots.give(slot, isBusy(error) ? 'refused' : 'failed')
        throw error
      }
      let failure: unknown
      stream.once('error', (error) => {
        failure = error
      })
      stream.once('close', () =>
        slots.give(slot, failure === undefined ? 'done' : isBusy(failure) ? 'refused' : 'failed'),
      )
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

function isBusy(error: unknown): boolean {
  return error instanceof VarveError && error.code === 'REMOTE_BUSY'
}
