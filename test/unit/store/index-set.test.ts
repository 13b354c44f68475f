import {
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PackName } from '../../../core/format/pack.ts'
import type { SegmentName } from '../../../core/format/segment.ts'
import { IndexSet } from '../../../core/store/index-set.ts'
import { PageCache } from '../../../core/store/page-cache.ts'
import { RowBuffer } from '../../../core/store/row-buffer.ts'
import { SegmentReader } from '../../../core/store/segment-reader.ts'
import { writeSegment } from '../../../core/store/segment-writer.ts'
import { indexFolder, segmentPath } from '../../../core/store/store-layout.ts'
import { chunkRows, numberedDigest, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

/** Rows of one pack: the chunks `first`, `first + 1`, ... */
function rowsFrom(pack: number, first: number, count: number): RowBuffer {
  const rows = new RowBuffer()
  rows.addPack(packNamed(pack), chunkRows(Array.from({ length: count }, (_, i) => numberedDigest(first + i))))
  return rows
}

function filesIn(root: string): SegmentName[] {
  return readdirSync(indexFolder(root)).map((file) => file.replace('.idx', '') as SegmentName)
}

function bury(root: string, ...packs: PackName[]): SegmentName {
  return writeSegment(root, { rows: [], mostRows: 0, packs: [], tombstones: packs })
}

describe('IndexSet', () => {
  test('of a root without an index is empty', () => {
    const index = new IndexSet(join(makeTemporaryFolder(), 'nothing'))
    expect([index.names, index.rowCount, index.packs().size]).toEqual([[], 0, 0])
    expect(index.find('chunk', numberedDigest(1))).toBeUndefined()
  })

  test('finds what was added at once, and when it is opened again', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    index.add(rowsFrom(0, 0, 10))
    index.add(rowsFrom(1, 10, 10))
    for (const one of [index, new IndexSet(root)]) {
      for (let i = 0; i < 20; i++) {
        expect(one.find('chunk', numberedDigest(i))?.pack).toBe(packNamed(i < 10 ? 0 : 1))
        expect(one.has('node', numberedDigest(i))).toBe(false)
      }
      expect(one.has('chunk', numberedDigest(20))).toBe(false)
      expect([one.rowCount, [...one.packs()].sort()]).toEqual([20, [packNamed(0), packNamed(1)].sort()])
      one.close()
    }
  })

  test('opens without reading rows, and looks in the largest segment first', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    for (const [i, count] of [10, 20_000, 10].entries()) index.add(rowsFrom(i, i * 20_000, count))
    index.close()
    const again = new IndexSet(root)
    expect(again.pageReadCount).toBe(0)
    expect(again.has('chunk', numberedDigest(30_000))).toBe(true)
    // Counters, one or two pages of rows, names of packs: of the one segment.
    expect(again.pageReadCount).toBeLessThanOrEqual(4)
    again.close()
  })

  test('adds nothing for no packs', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    index.add(new RowBuffer())
    expect(index.names).toEqual([])
  })

  test('gives every place of an entry', () => {
    const index = new IndexSet(makeTemporaryFolder())
    for (const pack of [0, 1, 2]) index.add(rowsFrom(pack, 5, 1))
    const places = [...index.findAll('chunk', numberedDigest(5))].map(({ pack }) => pack)
    expect(places.sort()).toEqual([0, 1, 2].map(packNamed).sort())
    index.close()
  })

  test('takes in what others wrote on refresh', () => {
    const root = makeTemporaryFolder()
    const [mine, theirs] = [new IndexSet(root), new IndexSet(root)]
    for (let i = 0; i < 9; i++) theirs.add(rowsFrom(i, i, 1))
    expect(mine.has('chunk', numberedDigest(3))).toBe(false)
    mine.refresh()
    for (let i = 0; i < 9; i++) expect(mine.has('chunk', numberedDigest(i))).toBe(true)
    expect(mine.names.sort()).toEqual(theirs.names.sort())
    mine.close()
    theirs.close()
  })
})

describe('merging', () => {
  test('keeps the number of segments small, and every row', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    for (let i = 0; i < 100; i++) {
      index.add(rowsFrom(i, i * 7, 7))
      // Three of each of the classes 7, 28, 112, 448 at the most.
      expect(index.names.length).toBeLessThanOrEqual(12)
    }
    for (const one of [index, new IndexSet(root)]) {
      expect(one.rowCount).toBe(700)
      for (let i = 0; i < 700; i++) {
        expect(one.find('chunk', numberedDigest(i))?.pack).toBe(packNamed(Math.floor(i / 7)))
      }
      expect(one.packs().size).toBe(100)
      one.close()
    }
  })

  test('of segments of many blocks keeps the order, drops what is gone and what is there twice', () => {
    const root = makeTemporaryFolder()
    bury(root, packNamed(3))
    const index = new IndexSet(root)
    for (const [i, first] of [0, 9000, 20_000, 5000].entries()) index.add(rowsFrom(i, first, 10_000))
    const segments = index.names.map(
      (name) => new SegmentReader(segmentPath(root, name), name, new PageCache()),
    )
    const [segment] = segments.filter(({ rowCount }) => rowCount > 0)
    if (segment === undefined) return expect.fail('no rows')
    expect(segment.rowCount).toBe(30_000)
    const rows: Buffer[] = []
    for (const row of segment.rows()) rows.push(Buffer.from(row))
    for (let i = 1; i < rows.length; i++) {
      if (Buffer.compare(rows[i - 1]!, rows[i]!) >= 0) expect.fail(`row ${i} is out of order`)
    }
    for (let i = 0; i < 30_000; i += 7) {
      const packs = [...index.findAll('chunk', numberedDigest(i))].map(({ pack }) => pack)
      const expected = [0, 1, 2].filter(
        (pack) => i >= [0, 9000, 20_000][pack]! && i < [10_000, 19_000, 30_000][pack]!,
      )
      expect(packs.sort()).toEqual(expected.map(packNamed).sort())
    }
    for (const one of segments) one.close()
    index.close()
  })

  test('leaves large segments alone where small ones come', () => {
    const index = new IndexSet(makeTemporaryFolder())
    index.add(rowsFrom(0, 0, 10_000))
    const [large] = index.names
    for (let i = 1; i <= 20; i++) index.add(rowsFrom(i, 10_000 + i, 1))
    expect(index.names).toContain(large)
    index.close()
  })

  test('writes the same row once, and rows of two packs both', () => {
    const index = new IndexSet(makeTemporaryFolder())
    for (let i = 0; i < 4; i++) index.add(rowsFrom(i % 2, 0, 10 + i))
    expect(index.names).toHaveLength(1)
    expect([...index.findAll('chunk', numberedDigest(0))]).toHaveLength(2)
    expect([...index.findAll('chunk', numberedDigest(12))]).toHaveLength(1)
    index.close()
  })

  test('leaves the superseded for a day, then removes them', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    for (let i = 0; i < 4; i++) index.add(rowsFrom(i, i, 1))
    const [merged] = index.names
    expect(filesIn(root)).toHaveLength(5)
    const later = new IndexSet(root)
    expect(later.names).toEqual([merged])
    const dayAgo = new Date(Date.now() - 24 * 3600 * 1000 - 1000)
    utimesSync(segmentPath(root, merged!), dayAgo, dayAgo)
    later.add(rowsFrom(9, 9, 1000))
    expect(filesIn(root).sort()).toEqual(later.names.toSorted())
    for (let i = 0; i < 4; i++) expect(later.has('chunk', numberedDigest(i))).toBe(true)
    // Opened before they went, and merged by another: what it holds open it still reads.
    for (let i = 0; i < 4; i++) expect(index.has('chunk', numberedDigest(i))).toBe(true)
    index.close()
    later.close()
  })

  test('does not carry the names of what is long gone from merge to merge', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    for (let i = 0; i < 4; i++) index.add(rowsFrom(i, i, 1))
    const [merged] = index.names
    for (const name of filesIn(root)) if (name !== merged) rmSync(segmentPath(root, name))
    for (let i = 4; i < 16; i++) index.add(rowsFrom(i, i, 1))
    const last = new IndexSet(root)
    expect(last.rowCount).toBe(16)
    for (const name of filesIn(root)) expect(last.names.includes(name) || name.length === 64).toBe(true)
    const listed = readFileSync(segmentPath(root, last.names[0]!)).toString('hex')
    expect(listed).toContain(merged)
    index.close()
    last.close()
  })
})

describe('tombstones', () => {
  test('hide what is in packs that are gone, wherever the rows are', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    index.add(rowsFrom(0, 0, 5))
    index.add(rowsFrom(1, 4, 5))
    bury(root, packNamed(0))
    index.refresh()
    expect(index.has('chunk', numberedDigest(0))).toBe(false)
    expect(index.find('chunk', numberedDigest(4))?.pack).toBe(packNamed(1))
    expect([...index.findAll('chunk', numberedDigest(4))]).toHaveLength(1)
    expect([...index.packs()]).toEqual([packNamed(1)])
    expect([index.isTombstoned(packNamed(0)), index.isTombstoned(packNamed(1))]).toEqual([true, false])
    index.close()
  })

  test('hide one of two rows in the same segment', () => {
    for (const gone of [0, 1]) {
      const root = makeTemporaryFolder()
      const index = new IndexSet(root)
      const rows = rowsFrom(0, 0, 5)
      rows.addPack(packNamed(1), chunkRows([numberedDigest(3)]))
      index.add(rows)
      bury(root, packNamed(gone))
      index.refresh()
      expect(index.find('chunk', numberedDigest(3))?.pack).toBe(packNamed(1 - gone))
      expect(index.has('chunk', numberedDigest(0))).toBe(gone === 1)
      index.close()
    }
  })

  test('outlive merges, and the rows that they hide do not', () => {
    const root = makeTemporaryFolder()
    bury(root, packNamed(0))
    const index = new IndexSet(root)
    index.add(rowsFrom(0, 0, 5))
    for (let i = 1; i < 16; i++) index.add(rowsFrom(i, i * 10, 5))
    expect(index.rowCount).toBe(75)
    const again = new IndexSet(root)
    expect(again.isTombstoned(packNamed(0))).toBe(true)
    expect(again.has('chunk', numberedDigest(0))).toBe(false)
    index.close()
    again.close()
  })
})

describe('damage', () => {
  function rewrite(path: string, change: (bytes: Buffer) => void): void {
    const bytes = readFileSync(path)
    change(bytes)
    chmodSync(path, 0o644)
    writeFileSync(path, bytes)
  }

  test('in a page of rows is corrupt when it is read, with the remedy', () => {
    const root = makeTemporaryFolder()
    new IndexSet(root).add(rowsFrom(0, 0, 10))
    rewrite(segmentPath(root, filesIn(root)[0]!), (bytes) => bytes.writeUInt8(bytes[0]! ^ 1))
    const index = new IndexSet(root)
    const { code, hint } = varveErrorOf(() => index.find('chunk', numberedDigest(0)))
    expect([code, hint]).toEqual(['CORRUPT', expect.stringContaining('varve verify --rebuild-index')])
    index.close()
  })

  test('at the end is corrupt when it is opened', () => {
    const root = makeTemporaryFolder()
    new IndexSet(root).add(rowsFrom(0, 0, 10))
    const path = segmentPath(root, filesIn(root)[0]!)
    rewrite(path, (bytes) => bytes.writeUInt8(bytes.at(-20)! ^ 1, bytes.length - 20))
    expect(varveErrorOf(() => new IndexSet(root)).code).toBe('CORRUPT')
    truncateSync(path, 5000)
    const { code, message, hint } = varveErrorOf(() => new IndexSet(root))
    expect([code, message]).toEqual(['CORRUPT', `index segment ${path}: cut short`])
    expect(hint).toContain('varve verify --rebuild-index')
  })

  test('of a segment that another supersedes does no harm', () => {
    const root = makeTemporaryFolder()
    const index = new IndexSet(root)
    index.add(rowsFrom(0, 0, 10))
    const [old] = index.names
    const rows = rowsFrom(0, 0, 10)
    index.close()
    for (const size of [5000, 0]) {
      chmodSync(segmentPath(root, old!), 0o644)
      truncateSync(segmentPath(root, old!), size)
      writeSegment(root, { rows: rows.sorted(), mostRows: 10, packs: rows.packs, superseded: [old!] })
      const again = new IndexSet(root)
      expect(again.has('chunk', numberedDigest(3))).toBe(true)
      again.close()
    }
  })

  test('other files in the folder are passed over', () => {
    const root = makeTemporaryFolder()
    new IndexSet(root).add(rowsFrom(0, 0, 1))
    for (const name of ['x.idx', `${'a'.repeat(64)}.tmp`, `${'A'.repeat(64)}.idx`, '.DS_Store']) {
      writeFileSync(join(indexFolder(root), name), 'x')
    }
    expect(new IndexSet(root).rowCount).toBe(1)
  })
})
