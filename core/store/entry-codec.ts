import { checksumOf } from '../checksum.ts'
import { type Digest, digestOf, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { Codec, EntryKind } from '../format/pack.ts'
import { zstd } from './zstd.ts'

/** Below this, a frame's header eats what compression saves. */
const MIN_COMPRESSIBLE_BYTES = 128
/** What does not shrink by 5 % stays raw: it is read back at the speed of a copy. */
const MAX_RATIO = 0.95
const PROBE_BYTES = 4096
/** Smaller entries are compressed without a look at a sample. */
const MIN_PROBED_BYTES = 4 * PROBE_BYTES
/** A sample compresses worse than the whole; a sample that does not shrink at all settles it. */
const MAX_PROBE_RATIO = 0.99

/** After so many entries in a row that do not shrink, a sample of one in `PROBE_EVERY` says whether that goes on. */
const STREAK = 16
const PROBE_EVERY = 8

/** Decides how entries are stored that are written one after the other: compressed where that pays. */
export class EntryEncoder {
  /** Large entries that did not shrink since the last one that did. */
  #rawInARow = 0

  encode(raw: Uint8Array): { codec: Codec; stored: Uint8Array } {
    if (raw.length < MIN_COMPRESSIBLE_BYTES) return { codec: 'raw', stored: raw }
    if (raw.length < MIN_PROBED_BYTES) return compressed(raw) ?? { codec: 'raw', stored: raw }
    const isSkipped = this.#rawInARow >= STREAK && this.#rawInARow % PROBE_EVERY !== 0
    const encoded = !isSkipped && looksCompressible(raw) ? compressed(raw) : undefined
    this.#rawInARow = encoded === undefined ? this.#rawInARow + 1 : 0
    return encoded ?? { codec: 'raw', stored: raw }
  }
}

function compressed(raw: Uint8Array): { codec: Codec; stored: Uint8Array } | undefined {
  const stored = zstd.compress(raw)
  return stored.length <= raw.length * MAX_RATIO ? { codec: 'zstd', stored } : undefined
}

function looksCompressible(raw: Uint8Array): boolean {
  const middle = (raw.length - PROBE_BYTES) >>> 1
  const sample = raw.subarray(middle, middle + PROBE_BYTES)
  return zstd.compress(sample).length <= PROBE_BYTES * MAX_PROBE_RATIO
}

/**
 * The raw bytes of a stored entry, proven to be those of `digest` (chunks and nodes: a recipe's digest names the
 * blob that it rebuilds, so only the checksum guards it here).
 * @throws CORRUPT
 */
export function decodeEntry(entry: {
  kind: EntryKind
  codec: Codec
  digest: Digest
  rawBytes: number
  stored: Buffer
}): Buffer {
  const { kind, codec, digest, rawBytes, stored } = entry
  const raw = codec === 'raw' ? stored : zstd.decompress(stored, rawBytes)
  if (kind !== 'recipe' && !digestOf(raw).equals(digest)) throw corruptEntry(kind, digest)
  return raw
}

/** @throws CORRUPT when the stored bytes are not those that were written. */
export function verifyChecksum(
  entry: { kind: EntryKind; digest: Digest; checksum: bigint },
  stored: Buffer,
): void {
  if (checksumOf(stored) !== entry.checksum) throw corruptEntry(entry.kind, entry.digest)
}

function corruptEntry(kind: EntryKind, digest: Digest): VarveError {
  return new VarveError('CORRUPT', `${kind} b3:${hexOf(digest)} is damaged: its bytes do not match its id`, {
    hint: 'Run `varve verify --rebuild-index`, then `varve pull`, or `varve add PATH` with the original file.',
  })
}
