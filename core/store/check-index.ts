import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { ENTRY_KINDS, type EntryKind, type PackName } from '../format/pack.ts'
import { ROW_PACK_INDEX_AT, type SegmentName } from '../format/segment.ts'
import { PageCache } from './page-cache.ts'
import { SegmentReader } from './segment-reader.ts'
import { segmentPath } from './store-layout.ts'
import { verifySegment } from './verify-segment.ts'

export type IndexCheck = {
  damaged: { segment: SegmentName; message: string }[]
  /** Those that are good and that no good one supersedes. */
  live: SegmentName[]
  /** What the live segments name, less what is said to be gone. */
  packs: Set<PackName>
  /** Packs that a good segment says are gone. */
  tombstones: Set<PackName>
}

const DIGEST_END = 32

/**
 * Reads index segments whole. What is wrong with one is a finding, not a failure.
 * @throws TOO_NEW for a segment of a later format: it is not damaged, and not for this version to judge
 */
export function checkIndex(root: string, segments: readonly SegmentName[]): IndexCheck {
  const check: IndexCheck = { damaged: [], live: [], packs: new Set(), tombstones: new Set() }
  const superseded = new Set<SegmentName>()
  const packsOf = new Map<SegmentName, PackName[]>()
  for (const segment of segments) {
    try {
      verifySegment(segmentPath(root, segment), segment)
      withSegment(root, segment, (reader) => {
        packsOf.set(segment, reader.packs())
        for (const old of reader.superseded) superseded.add(old)
        for (const pack of reader.tombstones) check.tombstones.add(pack)
      })
    } catch (error) {
      if (!(error instanceof VarveError) || error.code === 'TOO_NEW') throw error
      check.damaged.push({ segment, message: error.message })
    }
  }
  for (const [segment, packs] of packsOf) {
    if (superseded.has(segment)) continue
    check.live.push(segment)
    for (const pack of packs) if (!check.tombstones.has(pack)) check.packs.add(pack)
  }
  return check
}

/** What good segments say lies in `packs`. Digests are views, valid until the next step. */
export function* rowsInPacks(
  root: string,
  segments: readonly SegmentName[],
  packs: ReadonlySet<PackName>,
): Generator<{ kind: EntryKind; digest: Digest; pack: PackName }> {
  for (const segment of segments) {
    const reader = new SegmentReader(segmentPath(root, segment), segment, new PageCache())
    try {
      const wanted = new Map([...reader.packs().entries()].filter(([, pack]) => packs.has(pack)))
      if (wanted.size === 0) continue
      for (const row of reader.rows()) {
        const pack = wanted.get(row.readUInt32LE(ROW_PACK_INDEX_AT))
        const kind = ENTRY_KINDS[row[DIGEST_END]!]
        if (pack !== undefined && kind !== undefined) {
          yield { kind, digest: row.subarray(0, DIGEST_END), pack }
        }
      }
    } finally {
      reader.close()
    }
  }
}

function withSegment(root: string, segment: SegmentName, use: (reader: SegmentReader) => void): void {
  const reader = new SegmentReader(segmentPath(root, segment), segment, new PageCache())
  try {
    use(reader)
  } finally {
    reader.close()
  }
}
