import type { SegmentName } from '../../format/segment.ts'
import type { ListedFile } from '../objects/listed-files.ts'

export type KeptLimits = {
  /** An index that is no larger is kept here whole. */
  wholeBytes: number
  /** Of a larger one the smallest segments are, up to this much: the newest, and those that are to be merged. */
  partBytes: number
}

export const KEPT_LIMITS: KeptLimits = { wholeBytes: 256 << 20, partBytes: 8 << 20 }

type Segment = ListedFile<SegmentName>

/**
 * Which of the segments that count are kept here: large ones first, since they tell which small ones need not be.
 * `later` are those of the others that were written after the oldest of them, and so may be in their place.
 */
export function chooseSegments(
  live: readonly Segment[],
  { wholeBytes, partBytes }: KeptLimits,
): { chosen: Segment[]; later: Segment[] } {
  const smallestFirst = [...live].sort((a, b) => a.sizeBytes - b.sizeBytes)
  const totalBytes = live.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let left = totalBytes <= wholeBytes ? totalBytes : partBytes
  const chosen = smallestFirst.filter(({ sizeBytes }) => {
    left -= sizeBytes
    return left >= 0
  })
  const oldest = chosen.reduce((least, { modifiedAt }) => Math.min(least, modifiedAt.getTime()), Infinity)
  const later = smallestFirst.slice(chosen.length).filter(({ modifiedAt }) => modifiedAt.getTime() >= oldest)
  return { chosen: chosen.reverse(), later }
}
