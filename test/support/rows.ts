import { digestOf } from '../../core/content-id.ts'
import type { EntryKind, PackEntry, PackName } from '../../core/format/pack.ts'
import { rowsOf } from '../../core/store/row-buffer.ts'

/** The BLAKE3 of a number's four bytes: digests that tests can name. */
export function numberedDigest(i: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(i)
  return digestOf(bytes)
}

export function packNamed(i: number): PackName {
  return numberedDigest(0x8000_0000 + i).toString('hex') as PackName
}

/** An entry as a pack's table would have it; what the test does not say is made up of `offset`. */
export function packEntry(digest: Uint8Array, change: Partial<PackEntry> = {}): PackEntry {
  const kind: EntryKind = 'chunk'
  return { kind, codec: 'raw', digest, offset: 16, storedBytes: 20, rawBytes: 20, checksum: 1n, ...change }
}

/** Rows of chunks, one for each digest, at offsets that tell them apart. */
export function chunkRows(digests: Iterable<Uint8Array>): Buffer {
  return rowsOf([...digests].map((digest, i) => packEntry(digest, { offset: 16 + 20 * i })))
}
