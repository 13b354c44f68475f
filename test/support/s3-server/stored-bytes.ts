import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'

/** Bytes that do not change: in memory, in a file, or one after the other of such. */
export interface StoredBytes {
  readonly sizeBytes: number
  read(start: number, endExclusive: number): AsyncIterable<Buffer>
  /** Frees what they take, when the last reader is through. */
  drop(): void
}

export function bytesInMemory(bytes: Buffer): StoredBytes {
  return {
    sizeBytes: bytes.length,
    async *read(start, endExclusive) {
      if (endExclusive > start) yield bytes.subarray(start, endExclusive)
    },
    drop() {},
  }
}

export function bytesInFile(path: string, sizeBytes: number): StoredBytes {
  return freedWhenUnused({
    sizeBytes,
    async *read(start, endExclusive) {
      if (endExclusive <= start) return
      yield* createReadStream(path, { start, end: endExclusive - 1, highWaterMark: 256 << 10 })
    },
    drop: () => void rm(path, { force: true }).catch(() => undefined),
  })
}

/** The parts one after the other; they belong to the result from then on. */
export function bytesOfParts(parts: readonly StoredBytes[]): StoredBytes {
  return freedWhenUnused({
    sizeBytes: parts.reduce((sum, part) => sum + part.sizeBytes, 0),
    async *read(start, endExclusive) {
      let offset = 0
      for (const part of parts) {
        const from = Math.max(start - offset, 0)
        const to = Math.min(endExclusive - offset, part.sizeBytes)
        if (from < to) yield* part.read(from, to)
        offset += part.sizeBytes
      }
    },
    drop() {
      for (const part of parts) part.drop()
    },
  })
}

/** Whole, in memory. */
export async function collectBytes(bytes: StoredBytes): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of bytes.read(0, bytes.sizeBytes)) pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Puts the dropping off until nobody reads: a download goes on when its object is deleted. */
function freedWhenUnused(inner: StoredBytes): StoredBytes {
  let readers = 0
  let isDropped = false
  return {
    sizeBytes: inner.sizeBytes,
    async *read(start, endExclusive) {
      readers++
      try {
        yield* inner.read(start, endExclusive)
      } finally {
        readers--
        if (isDropped && readers === 0) inner.drop()
      }
    },
    drop() {
      isDropped = true
      if (readers === 0) inner.drop()
    },
  }
}
