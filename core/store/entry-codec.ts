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
/** A sample compresses worse than the whole; a sample that does not shrink at all settles it. */
const MAX_PROBE_RATIO = 0.99

/** How `raw` is stored: compressed where that pays. */
export function encodeEntry(raw: Uint8Array): { codec: Codec; stored: Uint8Array } {
  if (raw.length >= MIN_COMPRESSIBLE_BYTES && looksCompressible(raw)) {
    const stored = zstd.compress(raw)
    if (stored.length <= raw.length * MAX_RATIO) return { codec: 'zstd', stored }
  }
  return { codec: 'raw', stored: raw }
}

function looksCompressible(raw: Uint8Array): boolean {
  if (raw.length < 4 * PROBE_BYTES) return true
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
