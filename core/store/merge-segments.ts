import type { PackName } from '../format/pack.ts'
import { compareRows, copyRow, ROW_BYTES, ROW_PACK_INDEX_AT, type SegmentName } from '../format/segment.ts'
import type { RowCursor } from './row-cursor.ts'
import type { SegmentReader } from './segment-reader.ts'
import { writeSegment } from './segment-writer.ts'

const ROWS_PER_BLOCK = 1024

/**
 * One segment in place of several: rows merged in order, those of packs that are gone left out. The same segments make
 * the same bytes wherever they are merged.
 */
export function mergeSegments(
  root: string,
  segments: readonly SegmentReader[],
  options: {
    gone: ReadonlySet<PackName>
    /** What it says it stands in place of: the segments themselves, and what they stood in place of. */
    superseded: readonly SegmentName[]
  },
): SegmentName {
  const inOrder = [...segments].sort((a, b) => (a.name < b.name ? -1 : 1))
  const named = new Set(inOrder.flatMap((segment) => segment.packs()))
  const packs = [...named].filter((pack) => !options.gone.has(pack)).sort()
  const indexOf = new Map(packs.map((pack, index) => [pack, index]))
  return writeSegment(root, {
    rows: mergeSorted(inOrder.map((segment) => new Source(segment, indexOf))),
    mostRows: inOrder.reduce((sum, segment) => sum + segment.rowCount, 0),
    packs,
    superseded: options.superseded,
    tombstones: [...new Set(inOrder.flatMap((segment) => segment.tombstones))].sort(),
  })
}

/** A segment's rows, those of packs that are gone left out, with their packs counted as in the merged segment. */
class Source {
  readonly cursor: RowCursor
  readonly #newIndices: readonly (number | undefined)[]

  constructor(segment: SegmentReader, indexOf: ReadonlyMap<PackName, number>) {
    this.cursor = segment.cursor()
    this.#newIndices = segment.packs().map((pack) => indexOf.get(pack))
  }

  next(): boolean {
    const { cursor } = this
    while (cursor.next()) {
      const packAt = cursor.at + ROW_PACK_INDEX_AT
      const packIndex = this.#newIndices[cursor.bytes.readUInt32LE(packAt)]
      if (packIndex === undefined) continue
      cursor.bytes.writeUInt32LE(packIndex, packAt)
      return true
    }
    return false
  }

  compareTo(other: Source): number {
    return compareRows(this.cursor.bytes, this.cursor.at, other.cursor.bytes, other.cursor.at)
  }

  /** Steps over rows that are the one at `at` in `block`; false at the end. */
  skip(block: Buffer, at: number): boolean {
    while (compareRows(this.cursor.bytes, this.cursor.at, block, at) === 0) if (!this.next()) return false
    return true
  }
}

/** Merges ordered rows, blocks of them at a time. */
function* mergeSorted(sources: readonly Source[]): Generator<Buffer> {
  const block = Buffer.allocUnsafeSlow(ROWS_PER_BLOCK * ROW_BYTES)
  const left = sources.filter((source) => source.next())
  while (left.length > 0) yield block.subarray(0, fillBlock(left, block))
}

/**
 * Moves the least rows of all sources into `block`; gives its filled length. There are few, so the least is found by
 * looking at each. Those that end are taken out of `left`.
 */
function fillBlock(left: Source[], block: Buffer): number {
  let filled = 0
  for (; left.length > 0 && filled < block.length; filled += ROW_BYTES) {
    let least = left[0]!
    for (let i = 1; i < left.length; i++) if (left[i]!.compareTo(least) < 0) least = left[i]!
    const { bytes, at } = least.cursor
    copyRow(bytes, at, block, filled)
    if (!least.next()) left.splice(left.indexOf(least), 1)
    // The same row in several segments is written once.
    for (let i = left.length - 1; i >= 0; i--) if (!left[i]!.skip(block, filled)) left.splice(i, 1)
  }
  return filled
}
