import { Readable } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Key, Remote } from '../core/remote.ts'
import { alreadyExists } from './already-exists.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { clampRange } from './clamp-range.ts'
import { destroyOnAbort, throwIfAborted } from './interruption.ts'
import { sourceBytes } from './source-bytes.ts'

const LABEL = 'memory'

/** A remote for tests: gone with the process. `now` is the server's clock. */
export function createMemoryRemote(options: { now?: () => Date } = {}): Remote {
  const now = options.now ?? (() => new Date())
  const values = new Map<Key, { bytes: Buffer; modifiedAt: Date }>()

  return {
    label: LABEL,

    async stat(key) {
      checkKey(key)
      const value = values.get(key)
      return value && { key, sizeBytes: value.bytes.length, modifiedAt: value.modifiedAt }
    },

    async read(key, { range, signal } = {}) {
      checkKey(key)
      throwIfAborted(signal, `reading ${key}`)
      const value = values.get(key)
      if (value === undefined) throw new VarveError('NOT_FOUND', `no ${key} in ${LABEL}`)
      const { start, endExclusive } = clampRange(range, value.bytes.length)
      const stream = streamOf(value.bytes.subarray(start, endExclusive))
      destroyOnAbort(stream, signal, `reading ${key}`)
      return stream
    },

    async write(key, source, { ifAbsent = false, signal } = {}) {
      checkKey(key)
      if (ifAbsent && values.has(key)) throw alreadyExists(key, LABEL)
      const pieces: Uint8Array[] = []
      // Copied, because a source may use its buffer again for the next piece.
      for await (const piece of sourceBytes(key, source, signal)) pieces.push(Buffer.from(piece))
      throwIfAborted(signal, `writing ${key}`)
      if (ifAbsent && values.has(key)) throw alreadyExists(key, LABEL)
      values.set(key, { bytes: Buffer.concat(pieces), modifiedAt: now() })
    },

    async *list(prefix) {
      checkPrefix(prefix)
      const entries = [...values].filter(([key]) => key.startsWith(prefix))
      for (const [key, { bytes, modifiedAt }] of entries) yield { key, sizeBytes: bytes.length, modifiedAt }
    },

    async remove(key) {
      checkKey(key)
      values.delete(key)
    },
  }
}

/** Pieces are copies, so that a reader who writes into one does not change the stored value. */
function streamOf(bytes: Buffer): Readable {
  let offset = 0
  return new Readable({
    read(sizeBytes) {
      if (offset >= bytes.length) {
        this.push(null)
        return
      }
      this.push(Buffer.from(bytes.subarray(offset, offset + sizeBytes)))
      offset += sizeBytes
    },
  })
}
