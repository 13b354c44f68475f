import { fanoutBitsFor, layoutOf, PAGE_BYTES } from '../../format/segment.ts'

/** How large the segment will be that is written of so many rows, in so many packs. */
export function segmentBytes({ rows, packs }: { rows: number; packs: number }): number {
  const { trailer } = layoutOf({
    rowCount: rows,
    fanoutBits: fanoutBitsFor(rows),
    packCount: packs,
    supersededCount: 0,
    tombstoneCount: 0,
  })
  return (trailer + 1) * PAGE_BYTES
}
