import { rmSync } from 'node:fs'
import { VarveError } from '../errors.ts'
import type { PackName } from '../format/pack.ts'
import type { SegmentName } from '../format/segment.ts'
import { checkIndex } from './check-index.ts'
import { syncFolder } from './durable.ts'
import { listStoredFiles } from './list-stored-files.ts'
import { PackReader } from './pack-reader.ts'
import { RowBuffer, rowsOf } from './row-buffer.ts'
import { writeSegment } from './segment-writer.ts'
import { indexFolder, segmentPath } from './store-layout.ts'

export type RebuiltIndex = {
  /** Undefined where there was nothing to index. */
  segment: SegmentName | undefined
  packs: number
  rows: number
  /** Packs whose tables cannot be read: they stay where they are, and nothing is read from them. */
  leftOut: PackName[]
  /** The damaged segments, which are gone now. */
  removed: SegmentName[]
}

/**
 * Makes the index of a store anew from the tables of its packs, whatever state the segments are in. Those that are
 * there stay until the new one is durable; then the damaged ones are removed, and the others, now superseded, later.
 * @throws TOO_NEW for a segment of a later format
 */
export function rebuildIndex(root: string): RebuiltIndex {
  const files = listStoredFiles(root)
  const { damaged, tombstones } = checkIndex(root, files.segments)
  const rebuilt: RebuiltIndex = { segment: undefined, packs: 0, rows: 0, leftOut: [], removed: [] }
  const rows = readTables(root, {
    packs: files.packs.map(({ name }) => name).filter((name) => !tombstones.has(name)),
    onUnreadable: (pack) => rebuilt.leftOut.push(pack),
  })
  if (rows.count === 0 && files.segments.length === 0) return rebuilt
  rebuilt.packs = rows.packs.length
  rebuilt.rows = rows.count
  rebuilt.segment = writeSegment(root, {
    rows: rows.sorted(),
    mostRows: rows.count,
    packs: rows.packs,
    superseded: files.segments,
    tombstones: [...tombstones],
  })
  for (const { segment } of damaged) {
    rmSync(segmentPath(root, segment), { force: true })
    rebuilt.removed.push(segment)
  }
  if (damaged.length > 0) syncFolder(indexFolder(root))
  return rebuilt
}

function readTables(
  root: string,
  options: { packs: readonly PackName[]; onUnreadable: (pack: PackName) => void },
): RowBuffer {
  const rows = new RowBuffer()
  const reader = new PackReader(root)
  try {
    for (const pack of options.packs) {
      try {
        reader.classOf(pack)
        rows.addPack(pack, rowsOf(reader.readTable(pack).entries))
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        options.onUnreadable(pack)
      }
    }
  } finally {
    reader.close()
  }
  return rows
}
