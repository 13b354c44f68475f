import { pipeline, type Readable, Transform } from 'node:stream'
import { VarveError } from '../../errors.ts'
import type { Key, Remote, Source } from '../../remote.ts'

/** What would be asked of a remote, by verb, and the bytes that would flow. */
export type RehearsedRequests = {
  stat: number
  read: number
  write: number
  list: number
  remove: number
  bytesRead: number
  bytesWritten: number
  /** Of the writes, those of more than 16 MiB: some kinds of remote send one in several parts. */
  largeWrites: number
}

const LARGE_BYTES = 16 << 20

/**
 * The remote as it would be if nothing but reading from it were real: what is written is there for who looks through
 * this, and nowhere else. `requests` counts what the same calls will ask of the real one once more: values that are
 * read whole are immutable and kept by name, so that they are not.
 */
export function rehearse(inner: Remote): { remote: Remote; requests: RehearsedRequests } {
  const written = new Map<Key, Source>()
  const removed = new Set<Key>()
  const requests: RehearsedRequests = {
    ...{ stat: 0, read: 0, write: 0, list: 0, remove: 0 },
    ...{ bytesRead: 0, bytesWritten: 0, largeWrites: 0 },
  }
  const entryOf = (key: Key, { sizeBytes }: Source) => ({ key, sizeBytes, modifiedAt: new Date() })
  const counted = (stream: Readable) => {
    const counter = new Transform({
      transform(piece: Buffer, _encoding, done) {
        requests.bytesRead += piece.length
        done(null, piece)
      },
    })
    // An error of either end reaches the reader through `counter` itself.
    pipeline(stream, counter, () => undefined)
    return counter
  }
  const remote: Remote = {
    label: inner.label,
    async stat(key) {
      requests.stat++
      const source = written.get(key)
      if (source !== undefined) return entryOf(key, source)
      return removed.has(key) ? undefined : inner.stat(key)
    },
    async read(key, options = {}) {
      const isKept = options.range === undefined && isImmutable(key)
      if (!isKept) requests.read++
      const source = written.get(key)
      if (source !== undefined) return counted(source.open())
      const stream = await inner.read(key, options)
      return isKept ? stream : counted(stream)
    },
    async write(key, source, { ifAbsent = false } = {}) {
      requests.write++
      const isThere = ifAbsent && (written.has(key) || (await inner.stat(key)) !== undefined)
      if (isThere) throw new VarveError('ALREADY_EXISTS', `${inner.label} has ${key} already`)
      requests.bytesWritten += source.sizeBytes
      if (source.sizeBytes > LARGE_BYTES) requests.largeWrites++
      written.set(key, source)
      removed.delete(key)
    },
    async *list(prefix) {
      requests.list++
      for await (const entry of inner.list(prefix)) {
        if (!removed.has(entry.key) && !written.has(entry.key)) yield entry
      }
      for (const [key, source] of written) if (key.startsWith(prefix)) yield entryOf(key, source)
    },
    async remove(key) {
      requests.remove++
      written.delete(key)
      removed.add(key)
    },
  }
  return { remote, requests }
}

function isImmutable(key: Key): boolean {
  return /^(packs|index|sample|roots)\//.test(key)
}
