import { rmSync } from 'node:fs'
import { VarveError } from '../errors.ts'
import type { PackEntry, PackName } from '../format/pack.ts'
import type { SegmentName } from '../format/segment.ts'
import { checkIndex } from './check-index.ts'
import { syncFolder } from './durable.ts'
import { keepGoodEntries } from './keep-good-entries.ts'
import { listStoredFiles } from './list-stored-files.ts'
import { type BadPacks, keyOf } from './lost-entries.ts'
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
  /** Damaged entries of packs that can be read otherwise. */
  entriesLeftOut: number
  /** The damaged segments, which are gone now. */
  removed: SegmentName[]
}

/**
 * Makes the index of a store anew from the tables of its packs, whatever state the segments are in. Those that are
 * there stay until the new one is durable; then the damaged ones are removed, and the others, now superseded, later.
 * What is `bad` is left out, so that it counts as missing and can be stored or fetched again.
 * @throws TOO_NEW for a segment of a later format; NO_SPACE, NO_PERMISSION, IO
 */
export function rebuildIndex(root: string, bad: BadPacks = { whole: new Set(), entries: [] }): RebuiltIndex {
  const files = listStoredFiles(root)
  const { damaged, tombstones } = checkIndex(root, files.segments)
  const rebuilt: RebuiltIndex = {
    segment: undefined,
    packs: 0,
    rows: 0,
    leftOut: [],
    entriesLeftOut: 0,
    removed: [],
  }
  const rows = readTables(root, {
    packs: files.packs.map(({ name }) => name).filter((name) => !tombstones.has(name)),
    bad,
    onUnreadable: (pack) => rebuilt.leftOut.push(pack),
    onLeftOut: (entries) => {
      rebuilt.entriesLeftOut += entries
    },
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

/** Damaged packs first: what of them is to be copied is then known while the good ones are read. */
function readTables(
  root: string,
  options: {
    packs: readonly PackName[]
    bad: BadPacks
    onUnreadable: (pack: PackName) => void
    onLeftOut: (entries: number) => void
  },
): RowBuffer {
  const { packs, bad, onUnreadable, onLeftOut } = options
  const rows = new RowBuffer()
  const reader = new PackReader(root)
  const damaged = new Map<PackName, Set<string>>()
  for (const { pack, kind, digest } of bad.entries) {
    const keys = damaged.get(pack) ?? new Set()
    damaged.set(pack, keys.add(keyOf(kind, digest)))
  }
  const kept: { name: PackName; entries: PackEntry[] }[] = []
  try {
    const isDamaged = (pack: PackName) => damaged.has(pack)
    for (const pack of [...packs.filter(isDamaged), ...packs.filter((one) => !isDamaged(one))]) {
      if (bad.whole.has(pack)) {
        onUnreadable(pack)
        continue
      }
      try {
        const packClass = reader.classOf(pack)
        const { entries } = reader.readTable(pack)
        const keys = damaged.get(pack)
        const good = keys ? entries.filter(({ kind, digest }) => !keys.has(keyOf(kind, digest))) : entries
        onLeftOut(entries.length - good.length)
        if (keys !== undefined && packClass === 'metadata') kept.push({ name: pack, entries: good })
        else if (keys === undefined || good.length > 0) rows.addPack(pack, rowsOf(good))
        if (keys === undefined && kept.length > 0) dropHeld(kept, entries)
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        onUnreadable(pack)
      }
    }
    if (kept.length > 0) keepGoodEntries({ root, reader, packs: kept, rows })
  } finally {
    reader.close()
  }
  return rows
}

/** Takes out of `kept` what a good pack holds. Not recipes: two of one blob may differ. */
function dropHeld(kept: { entries: PackEntry[] }[], held: readonly PackEntry[]): void {
  const keys = new Set(held.filter(({ kind }) => kind !== 'recipe').map((one) => keyOf(one.kind, one.digest)))
  for (const pack of kept) {
    pack.entries = pack.entries.filter(({ kind, digest }) => !keys.has(keyOf(kind, digest)))
  }
}
