import { checksumOf } from '../checksum.ts'
import { EMPTY_DIGEST } from '../content-id.ts'
import type { PackName } from '../format/pack.ts'
import type { ChunkBlock } from '../store/chunk-source.ts'

/** The chunk of no bytes, which need be read nowhere. */
export function emptyBlock(): ChunkBlock {
  const nothing = new Uint8Array(0)
  const size = { offset: 0, storedBytes: 0, rawBytes: 0, checksum: checksumOf(nothing) }
  const entry = { kind: 'chunk', codec: 'raw', digest: EMPTY_DIGEST, ...size } as const
  return { pack: '' as PackName, start: 0, bytes: nothing, entries: [entry], copy: 1 }
}
