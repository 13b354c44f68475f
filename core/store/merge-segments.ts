import { existsSync } from 'node:fs'
import type { PackName } from '../format/pack.ts'
import { ROW_PACK_INDEX_AT, type SegmentName } from '../format/segment.ts'
import type { SegmentReader } from './segment-reader.ts'
import { writeSegment } from './segment-writer.ts'
import { segmentPath } from './store-layout.ts'

/** One segment in place of several: rows merged in order, those of packs that are gone left out. */
export function mergeSegments(
  root: string,
  segments: readonly SegmentReader[],
  gone: ReadonlySet<PackName>,
): SegmentName {
  const packs = [...new Set(segments.flatMap((segment) => segment.packs()))].filter((pack) => !gone.has(pack))
  const indexOf = new Map(packs.map((pack, index) => [pack, index]))
  const streams = segments.map((segment) => remapped(segment, indexOf))
  const inherited = segments.flatMap((segment) => segment.superseded)
  return writeSegment(root, {
    rows: mergeSorted(streams),
    mostRows: segments.reduce((sum, segment) => sum + segment.rowCount, 0),
    packs,
    // What is removed already needs no mention: the list would grow with every merge there ever was.
    superseded: [
      ...segments.map((segment) => segment.name),
      ...inherited.filter((name) => existsSync(segmentPath(root, name))),
    ],
    tombstones: [...new Set(segments.flatMap((segment) => segment.tombstones))],
  })
}

/** A segment's rows with their packs counted by `indexOf`. */
function* remapped(segment: SegmentReader, indexOf: Map<PackName, number>): Generator<Buffer> {
  const newIndices = segment.packs().map((pack) => indexOf.get(pack))
  for (const row of segment.rows()) {
    const packIndex = newIndices[row.readUInt32LE(ROW_PACK_INDEX_AT)]
    if (packIndex === undefined) continue
    const copy = Buffer.from(row)
    copy.writeUInt32LE(packIndex, ROW_PACK_INDEX_AT)
    yield copy
  }
}

/** Merges ordered streams of rows. There are few, so the least is found by looking at all. */
function* mergeSorted(streams: readonly Generator<Buffer>[]): Generator<Buffer> {
  const heads = streams.map((stream) => stream.next())
  for (;;) {
    let least = -1
    for (let i = 0; i < heads.length; i++) {
      const head = heads[i]!
      if (head.done) continue
      if (least < 0 || Buffer.compare(head.value, heads[least]!.value as Buffer) < 0) least = i
    }
    if (least < 0) return
    const row = heads[least]!.value as Buffer
    yield row
    for (let i = 0; i < heads.length; i++) {
      // The same row in several segments is written once.
      while (!heads[i]!.done && (heads[i]!.value as Buffer).equals(row)) heads[i] = streams[i]!.next()
    }
  }
}
