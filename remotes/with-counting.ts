import { pipeline, type Readable, Transform } from 'node:stream'
import type { Remote } from '../core/remote.ts'

/** Requests by verb, failed ones too, and the bytes that flowed, whole values or not. */
export type RequestCounts = {
  stat: number
  read: number
  write: number
  list: number
  remove: number
  bytesRead: number
  bytesWritten: number
}

/** `counts` is live: it grows while the wrapped remote is used. */
export function withCounting(inner: Remote): { remote: Remote; counts: RequestCounts } {
  const counts = { stat: 0, read: 0, write: 0, list: 0, remove: 0, bytesRead: 0, bytesWritten: 0 }
  const remote: Remote = {
    label: inner.label,
    stat(key) {
      counts.stat++
      return inner.stat(key)
    },
    async read(key, options) {
      counts.read++
      return counted(await inner.read(key, options), (sizeBytes) => {
        counts.bytesRead += sizeBytes
      })
    },
    write(key, source, options) {
      counts.write++
      const open = () =>
        counted(source.open(), (sizeBytes) => {
          counts.bytesWritten += sizeBytes
        })
      return inner.write(key, { sizeBytes: source.sizeBytes, open }, options)
    },
    list(prefix) {
      counts.list++
      return inner.list(prefix)
    },
    remove(key) {
      counts.remove++
      return inner.remove(key)
    },
  }
  return { remote, counts }
}

function counted(stream: Readable, count: (sizeBytes: number) => void): Readable {
  const counter = new Transform({
    transform(piece: Buffer, _encoding, done) {
      count(piece.length)
      done(null, piece)
    },
  })
  // An error of either end reaches the reader through `counter` itself.
  pipeline(stream, counter, () => undefined)
  return counter
}
