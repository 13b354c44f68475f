import { chmodSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hexOf } from '../../../core/content-id.ts'
import type { EntryKind, PackName } from '../../../core/format/pack.ts'
import { PAGE_BYTES, ROWS_PER_PAGE, type SegmentName } from '../../../core/format/segment.ts'
import { PageCache } from '../../../core/store/page-cache.ts'
import { RowBuffer, rowsOf } from '../../../core/store/row-buffer.ts'
import { type Location, SegmentReader } from '../../../core/store/segment-reader.ts'
import { writeSegment } from '../../../core/store/segment-writer.ts'
import { segmentPath } from '../../../core/store/store-layout.ts'
import { readGolden } from '../../support/golden.ts'
import { chunkRows, numberedDigest, packEntry, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

function write(root: string, rows: RowBuffer): SegmentName {
  return writeSegment(root, { rows: rows.sorted(), mostRows: rows.count, packs: rows.packs })
}

function open(root: string, name: SegmentName): SegmentReader {
  return new SegmentReader(segmentPath(root, name), name, new PageCache())
}

/** Makes a published segment writable, and what `damage` makes of it. */
function rewrite(path: string, damage: (bytes: Buffer) => Buffer): void {
  chmodSync(path, 0o644)
  writeFileSync(path, damage(readFileSync(path)))
}

describe('a segment of 200,000 rows', () => {
  test('finds each row and no other, as a Map does', () => {
    const rows = new RowBuffer()
    const model = new Map<string, Location[]>()
    for (let pack = 0; pack < 200; pack++) {
      const entries = Array.from({ length: 1000 }, (_, i) => {
        // Every tenth is in two packs, under another kind, or both.
        const number = i % 10 === 0 ? i + Math.floor(pack / 2) * 1000 : i + pack * 1000
        const kind: EntryKind = i % 20 === 0 && pack % 2 === 1 ? 'node' : 'chunk'
        return packEntry(numberedDigest(number), { kind, offset: 16 + i * 20 })
      })
      rows.addPack(packNamed(pack), rowsOf(entries))
      for (const { digest, checksum: _, ...place } of entries) {
        const key = `${place.kind} ${hexOf(digest)}`
        model.set(key, [...(model.get(key) ?? []), { pack: packNamed(pack), ...place }])
      }
    }
    expect(rows.count).toBe(200_000)
    const root = makeTemporaryFolder()
    const segment = open(root, write(root, rows))
    expect(segment.rowCount).toBe(200_000)
    expect(segment.packs()).toEqual(rows.packs)
    let several = 0
    for (const [key, expected] of model) {
      const [kind, hex] = key.split(' ') as [EntryKind, string]
      const found = [...segment.find(kind, Buffer.from(hex, 'hex'))]
      const asText = (locations: Location[]) =>
        locations
          .map(({ pack, offset, codec }) => `${pack} ${offset} ${codec}`)
          .sort()
          .join()
      if (expected.length > 1) several++
      const first = segment.findFirst(kind, Buffer.from(hex, 'hex'))
      if (asText([first!]) !== asText([found[0]!])) expect.fail(`${key} is at ${asText([first!])} first`)
      if (asText(found) !== asText(expected)) expect.fail(`${key} is at ${asText(found)}`)
    }
    expect(several).toBeGreaterThan(1000)
    for (let i = 0; i < 2000; i++) {
      expect([...segment.find('chunk', numberedDigest(1_000_000 + i))]).toEqual([])
      expect([...segment.find('recipe', numberedDigest(i))]).toEqual([])
      expect(segment.findFirst('chunk', numberedDigest(1_000_000 + i))).toBeUndefined()
      expect(segment.findFirst('recipe', numberedDigest(i))).toBeUndefined()
    }
    segment.close()
  })
})

describe('a look-up', () => {
  test('of a digest reads few pages: one or two of counters, one or two of rows, one of names', () => {
    const root = makeTemporaryFolder()
    const rows = new RowBuffer()
    rows.addPack(packNamed(0), chunkRows(Array.from({ length: 100_000 }, (_, i) => numberedDigest(i))))
    const path = segmentPath(root, write(root, rows))
    let total = 0
    for (let i = 0; i < 200; i++) {
      const cache = new PageCache()
      const segment = new SegmentReader(path, 'x' as SegmentName, cache)
      const number = i * 1000
      const isThere = number < 100_000
      expect(segment.findFirst('chunk', numberedDigest(number)) !== undefined).toBe(isThere)
      expect(cache.readCount).toBeLessThanOrEqual(isThere ? 5 : 4)
      total += cache.readCount - (isThere ? 1 : 0)
      segment.close()
    }
    expect(total / 200).toBeLessThan(2.3)
  })

  test('among digests that are not spread at all finds each', () => {
    const root = makeTemporaryFolder()
    const rows = new RowBuffer()
    const digests = Array.from({ length: 2000 }, (_, i) => {
      const digest = Buffer.alloc(32, 0xff)
      digest.writeUInt16BE(i * 4, 30)
      return digest
    })
    for (const pack of [0, 1]) rows.addPack(packNamed(pack), chunkRows(digests))
    // One digest of more rows than a page.
    for (let pack = 2; pack < 202; pack++) rows.addPack(packNamed(pack), chunkRows([digests[700]!]))
    const segment = open(root, write(root, rows))
    for (const [i, digest] of digests.entries()) {
      expect([...segment.find('chunk', digest)]).toHaveLength(i === 700 ? 202 : 2)
      expect(segment.findFirst('chunk', digest)).toBeDefined()
      digest[31]! += 1
      expect(segment.findFirst('chunk', digest)).toBeUndefined()
    }
    segment.close()
  })
})

describe('a segment', () => {
  test.each([
    0,
    1,
    ROWS_PER_PAGE - 1,
    ROWS_PER_PAGE,
    ROWS_PER_PAGE + 1,
    64 * ROWS_PER_PAGE,
    150 * ROWS_PER_PAGE + 7,
  ])('of %i rows gives them in order', (count) => {
    const root = makeTemporaryFolder()
    const rows = new RowBuffer()
    const digests = Array.from({ length: count }, (_, i) => numberedDigest(i))
    rows.addPack(packNamed(0), chunkRows(digests))
    const segment = open(root, write(root, rows))
    const got: string[] = []
    for (const row of segment.rows()) got.push(row.toString('hex', 0, 32))
    expect(got).toEqual(digests.map(hexOf).sort())
    for (const digest of digests) expect([...segment.find('chunk', digest)]).toHaveLength(1)
    segment.close()
  })

  test('finds the least and the greatest digests', () => {
    const root = makeTemporaryFolder()
    const rows = new RowBuffer()
    const edges = [Buffer.alloc(32), Buffer.alloc(32, 0xff)]
    const others = Array.from({ length: 1000 }, (_, i) => numberedDigest(i))
    rows.addPack(packNamed(0), chunkRows([...edges, ...others]))
    const segment = open(root, write(root, rows))
    for (const edge of edges) expect([...segment.find('chunk', edge)]).toHaveLength(1)
    segment.close()
  })

  test('of more names than a page holds gives them all', () => {
    const root = makeTemporaryFolder()
    const names = (from: number) => Array.from({ length: 300 }, (_, i) => packNamed(from + i))
    const rows = new RowBuffer()
    for (const [i, name] of names(0).entries()) rows.addPack(name, chunkRows([numberedDigest(i)]))
    const name = writeSegment(root, {
      rows: rows.sorted(),
      mostRows: 300,
      packs: rows.packs,
      superseded: names(1000) as string[] as SegmentName[],
      tombstones: names(2000),
    })
    const segment = open(root, name)
    expect(segment.packs()).toEqual(names(0))
    expect(segment.superseded).toEqual(names(1000))
    expect(segment.tombstones).toEqual(names(2000))
    for (let i = 0; i < 300; i++) {
      expect([...segment.find('chunk', numberedDigest(i))].map(({ pack }) => pack)).toEqual([packNamed(i)])
    }
    segment.close()
  })

  test('of the golden file is read', () => {
    const path = join(makeTemporaryFolder(), 'golden.idx')
    writeFileSync(path, readGolden('segment/v1/rows.idx'))
    const segment = new SegmentReader(path, 'x' as SegmentName, new PageCache())
    for (let i = 0; i < 198; i++) expect([...segment.find('chunk', numberedDigest(i))]).toHaveLength(1)
    expect([...segment.find('recipe', numberedDigest(7))]).toMatchObject([{ offset: 177, rawBytes: 40 }])
    segment.close()
  })
})

describe('a damaged segment', () => {
  function makeSegment(): { path: string; name: SegmentName; digests: Buffer[] } {
    const root = makeTemporaryFolder()
    const digests = Array.from({ length: 3 * ROWS_PER_PAGE }, (_, i) => numberedDigest(i))
    const rows = new RowBuffer()
    rows.addPack(packNamed(0), chunkRows(digests))
    const name = write(root, rows)
    return { path: segmentPath(root, name), name, digests }
  }

  test('is corrupt in every page, with the remedy', () => {
    const { path, name, digests } = makeSegment()
    const pages = readFileSync(path).length / PAGE_BYTES
    for (let page = 0; page < pages; page++) {
      const flipByte = (bytes: Buffer) => {
        bytes[page * PAGE_BYTES + 100]! ^= 1
        return bytes
      }
      rewrite(path, flipByte)
      const error = varveErrorOf(() => {
        const segment = new SegmentReader(path, name, new PageCache())
        try {
          for (const digest of digests) [...segment.find('chunk', digest)]
        } finally {
          segment.close()
        }
      })
      expect(error.code).toBe('CORRUPT')
      expect(error.message).toBe(`index segment ${path}: a damaged page`)
      expect(error.hint).toContain('varve verify --rebuild-index')
      rewrite(path, flipByte)
    }
  })

  test('that is cut short is refused when it is opened', () => {
    const { path, name } = makeSegment()
    const { length } = readFileSync(path)
    chmodSync(path, 0o644)
    for (const size of [length - 1, length - PAGE_BYTES, PAGE_BYTES, 100, 0]) {
      truncateSync(path, size)
      const { code, message } = varveErrorOf(() => new SegmentReader(path, name, new PageCache()))
      expect(['CORRUPT', 'MALFORMED']).toContain(code)
      expect(message).toContain(path)
    }
  })

  test('whose rows name a pack that it does not list is malformed', () => {
    const root = makeTemporaryFolder()
    const rows = new RowBuffer()
    rows.addPack(packNamed(0), chunkRows([numberedDigest(1)]))
    const name = writeSegment(root, { rows: rows.sorted(), mostRows: 1, packs: [] as PackName[] })
    const segment = open(root, name)
    const { code, message } = varveErrorOf(() => [...segment.find('chunk', numberedDigest(1))])
    expect(code).toBe('MALFORMED')
    expect(message).toContain('a row of no pack')
    segment.close()
  })
})
