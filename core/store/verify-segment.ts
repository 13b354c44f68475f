import { closeSync, openSync, readSync } from 'node:fs'
import { ContentHasher, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { SegmentName } from '../format/segment.ts'
import { PageCache } from './page-cache.ts'
import { SegmentReader } from './segment-reader.ts'

const BLOCK_BYTES = 1 << 20

/**
 * Reads a whole segment and proves that its bytes are those of its name, and a segment. Gives what it supersedes.
 * @throws CORRUPT, MALFORMED, TOO_NEW
 */
export function verifySegment(path: string, name: SegmentName): SegmentName[] {
  const fd = openSync(path, 'r')
  try {
    const hasher = new ContentHasher()
    const block = Buffer.allocUnsafe(BLOCK_BYTES)
    for (let count = readSync(fd, block); count > 0; count = readSync(fd, block)) {
      hasher.update(block.subarray(0, count))
    }
    if (hexOf(hasher.digest()) !== name) {
      throw new VarveError('CORRUPT', `index segment ${path}: its bytes do not match its name`)
    }
  } finally {
    closeSync(fd)
  }
  return readSuperseded(path, name)
}

/** What a segment says it supersedes. @throws CORRUPT, MALFORMED, TOO_NEW */
export function readSuperseded(path: string, name: SegmentName): SegmentName[] {
  const segment = new SegmentReader(path, name, new PageCache())
  segment.close()
  return segment.superseded
}
