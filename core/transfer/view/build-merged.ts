import { rmSync } from 'node:fs'
import type { SegmentName } from '../../format/segment.ts'
import { publishFile } from '../../store/durable.ts'
import { mergeSegments } from '../../store/merge-segments.ts'
import { PageCache } from '../../store/page-cache.ts'
import { SegmentReader } from '../../store/segment-reader.ts'
import { segmentPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import type { SegmentHeader } from './remote-segment.ts'

/**
 * Makes a segment that another clone merged, out of what is below `root`, instead of fetching it: merging is
 * deterministic, and its name tells whether the outcome is the same. False where it is not, or something is lacking.
 */
export function buildMerged(root: string, name: SegmentName, header: SegmentHeader): boolean {
  const segments = openMembers(root, header.superseded)
  const scratch = temporaryPath(temporaryFolder(root))
  try {
    const covered = new Set(segments.flatMap((segment) => segment.superseded))
    const members = segments.filter((segment) => !covered.has(segment.name))
    const here = new Set(segments.map((segment) => segment.name))
    const isLacking = header.superseded.some((old) => !here.has(old) && !covered.has(old))
    if (members.length < 2 || isLacking) return false
    const gone = new Set(header.tombstones)
    const built = mergeSegments(scratch, members, { gone, superseded: header.superseded })
    if (built === name) publishFile(segmentPath(scratch, name), segmentPath(root, name))
    return built === name
  } finally {
    rmSync(scratch, { recursive: true, force: true })
    for (const segment of segments) segment.close()
  }
}

/** Those that are there and can be opened. */
function openMembers(root: string, names: readonly SegmentName[]): SegmentReader[] {
  const cache = new PageCache()
  return names.flatMap((name) => {
    try {
      return [new SegmentReader(segmentPath(root, name), name, cache)]
    } catch {
      return []
    }
  })
}
