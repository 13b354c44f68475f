import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import { CODECS, ENTRY_KINDS, type PackName } from '../../../core/format/pack.ts'
import {
  bucketOf,
  COUNTERS_PER_PAGE,
  compareRows,
  compareToRow,
  copyRow,
  decodeTrailer,
  encodeTrailer,
  fanoutBitsFor,
  isSegmentName,
  layoutOf,
  leadingBits,
  MAX_ROWS,
  NAMES_PER_PAGE,
  PAGE_BYTES,
  PAGE_PAYLOAD_BYTES,
  ROW_BYTES,
  ROWS_PER_PAGE,
  readNames,
  readRow,
  type SegmentRow,
  type SegmentTrailer,
  sealPage,
  verifyPage,
  writeRow,
} from '../../../core/format/segment.ts'
import { damaged, flipped } from '../../support/damage.ts'
import { counting, readGolden } from '../../support/golden.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

function pagesOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / PAGE_BYTES }, (_, i) =>
    bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES),
  )
}

function numbered(i: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(i)
  return digestOf(bytes)
}

describe('golden files', () => {
  test('rows.idx: 200 rows in three pages', () => {
    const bytes = readGolden('segment/v1/rows.idx')
    expect(hexOf(digestOf(bytes))).toBe('312e6c48c54c633d6ef026e310c9fa61ebfff57e6022de2b412b07635d317901')
    const pages = pagesOf(bytes)
    for (const page of pages) verifyPage(page, 'rows.idx')
    const trailer = decodeTrailer(pages.at(-1)!, bytes.length, 'rows.idx')
    expect(trailer).toEqual({
      rowCount: 200,
      fanoutBits: 2,
      packCount: 2,
      supersededCount: 1,
      tombstoneCount: 2,
    })
    expect(encodeTrailer(trailer).equals(pages.at(-1)!)).toBe(true)
    expect(fanoutBitsFor(200)).toBe(2)
    const layout = layoutOf(trailer)
    expect(layout).toEqual({ rows: 0, fanout: 3, packs: 4, superseded: 5, tombstones: 6, trailer: 7 })

    const rows = Array.from({ length: 200 }, (_, i) => {
      const page = pages[Math.floor(i / ROWS_PER_PAGE)]!
      const at = (i % ROWS_PER_PAGE) * ROW_BYTES
      return { digest: hexOf(page.subarray(at, at + 32)), row: readRow(page, at, 'rows.idx') }
    })
    const seventh = rows.filter(({ digest }) => digest === hexOf(numbered(7))).map(({ row }) => row)
    expect(seventh).toEqual([
      { kind: 'chunk', codec: 'zstd', packIndex: 1, offset: 716, storedBytes: 100, rawBytes: 250 },
      { kind: 'node', codec: 'raw', packIndex: 1, offset: 77, storedBytes: 42, rawBytes: 42 },
      { kind: 'recipe', codec: 'raw', packIndex: 1, offset: 177, storedBytes: 40, rawBytes: 40 },
    ])
    for (let bucket = 0; bucket < 4; bucket++) {
      const upTo = rows.filter(({ digest }) => bucketOf(Buffer.from(digest, 'hex'), 2) <= bucket)
      expect(pages[layout.fanout]!.readUInt32LE(bucket * 4)).toBe(upTo.length)
    }
    expect(readNames(pages[layout.packs]!, 2)).toEqual([1, 2].map((first) => hexOf(counting(first))))
    expect(readNames(pages[layout.superseded]!, 1)).toEqual([hexOf(counting(3))])
    expect(readNames(pages[layout.tombstones]!, 2)).toEqual([4, 5].map((first) => hexOf(counting(first))))
  })

  test('tombstone.idx: no rows', () => {
    const bytes = readGolden('segment/v1/tombstone.idx')
    expect(hexOf(digestOf(bytes))).toBe('58a1bb69c08fb9a248f528d680c191a486ba15001064eba577b414cf9890f6ab')
    const pages = pagesOf(bytes)
    const trailer = decodeTrailer(pages.at(-1)!, bytes.length, 'tombstone.idx')
    expect(trailer).toMatchObject({ rowCount: 0, fanoutBits: 0, packCount: 0, tombstoneCount: 1 })
    expect(readNames(pages[layoutOf(trailer).tombstones]!, 1)).toEqual([hexOf(counting(6)) as PackName])
  })
})

const anyRow: fc.Arbitrary<SegmentRow> = fc
  .record({
    kind: fc.constantFrom(...ENTRY_KINDS),
    codec: fc.constantFrom(...CODECS),
    packIndex: fc.integer({ min: 0, max: 0xffff_ffff }),
    offset: fc.integer({ min: 0, max: 0xffff_ffff }),
    storedBytes: fc.nat(40),
    rawBytes: fc.nat(40),
  })
  .map((row) => (row.codec === 'raw' ? { ...row, rawBytes: row.storedBytes } : row))

describe('a row', () => {
  test('comes back as it was, wherever it lies', () => {
    fc.assert(
      fc.property(anyRow, fc.nat(ROWS_PER_PAGE - 1), (row, place) => {
        const page = Buffer.alloc(PAGE_BYTES)
        writeRow(page, place * ROW_BYTES, counting(9), row)
        expect(readRow(page, place * ROW_BYTES, 'segment')).toEqual(row)
        expect(page.subarray(place * ROW_BYTES, place * ROW_BYTES + 32)).toEqual(counting(9))
        expect(page.filter((byte) => byte !== 0).length).toBeLessThanOrEqual(ROW_BYTES)
      }),
    )
  })

  test('that no writer produces is refused', () => {
    const row: SegmentRow = {
      kind: 'chunk',
      codec: 'raw',
      packIndex: 0,
      offset: 16,
      storedBytes: 10,
      rawBytes: 10,
    }
    const refusal = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.alloc(ROW_BYTES)
      writeRow(bytes, 0, counting(1), row)
      change(bytes)
      const { code, message } = varveErrorOf(() => readRow(bytes, 0, 'segment x'))
      expect(code).toBe('MALFORMED')
      return message
    }
    expect(refusal((bytes) => bytes.writeUInt8(3, 32))).toBe('segment x: a row of unknown kind')
    expect(refusal((bytes) => bytes.writeUInt8(2, 33))).toBe('segment x: a row of unknown codec')
    expect(refusal((bytes) => bytes.writeUInt32LE(11, 46))).toBe('segment x: a raw entry of two lengths')
    expect(refusal((bytes) => bytes.writeUInt32LE(0xffff_ffff, 46))).toContain('an entry of 4294967295 bytes')
    expect(refusal((bytes) => bytes.writeUInt32LE(0xffff_ffff, 42))).toContain('an entry of')
  })

  test('with any bit flipped is refused, or is another row', () => {
    const bytes = Buffer.alloc(ROW_BYTES)
    writeRow(bytes, 0, counting(1), {
      kind: 'node',
      codec: 'zstd',
      packIndex: 5,
      offset: 99,
      storedBytes: 10,
      rawBytes: 30,
    })
    for (const wrong of flipped(bytes)) outcomeOf(() => readRow(wrong, 0, 'segment'))
  })
})

describe('a page', () => {
  test('is corrupt with any bit flipped, and the remedy is said', () => {
    const page = Buffer.from(Array.from({ length: PAGE_BYTES }, (_, i) => i & 0xff))
    sealPage(page)
    verifyPage(page, 'segment x')
    for (let at = 0; at < PAGE_BYTES; at += 7) {
      page[at]! ^= 1 << (at % 8)
      const { code, message, hint } = varveErrorOf(() => verifyPage(page, 'segment x'))
      expect([code, message]).toEqual(['CORRUPT', 'segment x: a damaged page'])
      expect(hint).toContain('varve verify --rebuild-index')
      page[at]! ^= 1 << (at % 8)
    }
  })

  test('of nothing but zeros is corrupt: a hole in a file is no page', () => {
    expect(varveErrorOf(() => verifyPage(Buffer.alloc(PAGE_BYTES), 'segment')).code).toBe('CORRUPT')
  })
})

describe('a trailer', () => {
  const sizeOf = (trailer: SegmentTrailer) => (layoutOf(trailer).trailer + 1) * PAGE_BYTES
  const anyTrailer: fc.Arbitrary<SegmentTrailer> = fc.record({
    rowCount: fc.integer({ min: 0, max: MAX_ROWS }),
    fanoutBits: fc.nat(26),
    packCount: fc.integer({ min: 0, max: 0xffff_ffff }),
    supersededCount: fc.integer({ min: 0, max: 0xffff_ffff }),
    tombstoneCount: fc.integer({ min: 0, max: 0xffff_ffff }),
  })

  test('comes back as it was', () => {
    fc.assert(
      fc.property(anyTrailer, (trailer) => {
        expect(decodeTrailer(encodeTrailer(trailer), sizeOf(trailer), 'segment')).toEqual(trailer)
      }),
    )
  })

  test('leaves each section the pages that it needs', () => {
    fc.assert(
      fc.property(anyTrailer, (trailer) => {
        const layout = layoutOf(trailer)
        const sections = [
          [trailer.rowCount, ROWS_PER_PAGE, layout.fanout - layout.rows],
          [2 ** trailer.fanoutBits, COUNTERS_PER_PAGE, layout.packs - layout.fanout],
          [trailer.packCount, NAMES_PER_PAGE, layout.superseded - layout.packs],
          [trailer.supersededCount, NAMES_PER_PAGE, layout.tombstones - layout.superseded],
          [trailer.tombstoneCount, NAMES_PER_PAGE, layout.trailer - layout.tombstones],
        ] as const
        for (const [count, perPage, pages] of sections) {
          expect(pages * perPage).toBeGreaterThanOrEqual(count)
          expect(Math.max(0, pages - 1) * perPage).toBeLessThanOrEqual(count)
        }
      }),
    )
    expect(ROWS_PER_PAGE * ROW_BYTES).toBeLessThanOrEqual(PAGE_PAYLOAD_BYTES)
  })

  test('that does not fill its file is refused', () => {
    const trailer = { rowCount: 100, fanoutBits: 1, packCount: 1, supersededCount: 0, tombstoneCount: 0 }
    for (const fileBytes of [sizeOf(trailer) - PAGE_BYTES, sizeOf(trailer) + PAGE_BYTES, PAGE_BYTES]) {
      const { code, message } = varveErrorOf(() =>
        decodeTrailer(encodeTrailer(trailer), fileBytes, 'segment x'),
      )
      expect([code, message]).toEqual(['MALFORMED', 'segment x: sections that do not fill it'])
    }
  })

  test.each([
    ['more rows than counters can count', { rowCount: MAX_ROWS + 1 }],
    ['a fan-out that no writer makes', { fanoutBits: 27 }],
    ['a fan-out of all bits', { fanoutBits: 0xffff_ffff }],
  ])('that claims %s is refused', (_, claim) => {
    const trailer = {
      rowCount: 0,
      fanoutBits: 0,
      packCount: 0,
      supersededCount: 0,
      tombstoneCount: 0,
      ...claim,
    }
    const { code, message } = varveErrorOf(() =>
      decodeTrailer(encodeTrailer(trailer), PAGE_BYTES, 'segment x'),
    )
    expect([code, message]).toEqual(['MALFORMED', 'segment x: too many rows'])
  })

  test('of a later version is refused with the remedy, of another file as none', () => {
    const page = encodeTrailer({
      rowCount: 0,
      fanoutBits: 0,
      packCount: 0,
      supersededCount: 0,
      tombstoneCount: 0,
    })
    const with_ = (at: number, value: number) => {
      const copy = Buffer.from(page)
      copy[at] = value
      sealPage(copy)
      return varveErrorOf(() => decodeTrailer(copy, 2 * PAGE_BYTES, 'segment x'))
    }
    expect(with_(8, 2)).toMatchObject({
      code: 'TOO_NEW',
      hint: 'Upgrade varve to read this store or remote.',
    })
    expect(with_(0, 2)).toMatchObject({ code: 'MALFORMED', message: 'segment x: not an index segment' })
  })

  test('that is damaged is an error of ours', () => {
    const trailer = { rowCount: 1, fanoutBits: 0, packCount: 1, supersededCount: 0, tombstoneCount: 0 }
    for (const wrong of flipped(encodeTrailer(trailer))) {
      expect(varveErrorOf(() => decodeTrailer(wrong, sizeOf(trailer), 'segment')).code).toBe('CORRUPT')
    }
    let resealed = 0
    for (const wrong of damaged(encodeTrailer(trailer).subarray(0, 40))) {
      const page = Buffer.concat([wrong, Buffer.alloc(PAGE_BYTES - wrong.length)])
      sealPage(page)
      const outcome = outcomeOf(() => decodeTrailer(page, sizeOf(trailer), 'segment'))
      if (!(outcome instanceof VarveError)) resealed++
    }
    // With an honest checksum over them some numbers still fill the file: another number of rows in the page, say.
    expect(resealed).toBeGreaterThan(0)
  })
})

describe('the fan-out', () => {
  test('has about a bucket for a page of rows', () => {
    for (const rowCount of [0, 1, 81, 82, 10_000, 1_000_000, MAX_ROWS]) {
      const buckets = 2 ** fanoutBitsFor(rowCount)
      expect(buckets).toBeLessThanOrEqual(2 ** 26)
      if (buckets < 2 ** 26) expect(buckets * ROWS_PER_PAGE).toBeGreaterThanOrEqual(rowCount)
      if (rowCount > ROWS_PER_PAGE) expect((buckets / 2) * ROWS_PER_PAGE).toBeLessThan(rowCount)
    }
  })

  test('has buckets in the order of the digests', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.nat(26),
        (a, b, bits) => {
          const [first, second] = [a, b].sort(Buffer.compare)
          expect(bucketOf(first!, bits)).toBeLessThanOrEqual(bucketOf(second!, bits))
          expect(bucketOf(second!, bits)).toBeLessThan(2 ** bits)
        },
      ),
    )
    expect(bucketOf(Buffer.alloc(32, 0xff), 26)).toBe(2 ** 26 - 1)
    expect(bucketOf(Buffer.alloc(32, 0xff), 0)).toBe(0)
  })
})

test.each(['', 'a'.repeat(63), 'A'.repeat(64), `${'a'.repeat(64)}\n`])(
  'a segment is not named %j',
  (text) => {
    expect(isSegmentName(text)).toBe(false)
  },
)

describe('rows as bytes', () => {
  // Few values, so that long common beginnings are common.
  const anyRowBytes = fc
    .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), { minLength: 3, maxLength: 3 })
    .map(([first, last, rest]) => {
      const bytes = Buffer.alloc(ROW_BYTES, rest)
      bytes[0] = first!
      bytes[31] = last!
      return bytes
    })

  test('are compared as Buffer.compare does, wherever they stand', () => {
    fc.assert(
      fc.property(anyRowBytes, anyRowBytes, fc.nat(60), (a, b, at) => {
        const page = Buffer.concat([Buffer.alloc(at, 0x55), b])
        expect(Math.sign(compareRows(a, 0, page, at))).toBe(Buffer.compare(a, b))
        expect(Math.sign(compareToRow(a.subarray(0, 32), a[32]!, page, at))).toBe(
          Buffer.compare(a.subarray(0, 33), b.subarray(0, 33)),
        )
        const copy = Buffer.alloc(at + ROW_BYTES + 1, 0x33)
        copyRow(page, at, copy, at)
        expect(copy.subarray(at, at + ROW_BYTES).equals(b)).toBe(true)
        expect([copy[at + ROW_BYTES], at === 0 ? 0x33 : copy[at - 1]]).toEqual([0x33, 0x33])
        expect(leadingBits(page, at)).toBe(b.readUInt32BE(0))
        expect(bucketOf(page, 7, at)).toBe(b.readUInt32BE(0) >>> 25)
      }),
    )
  })
})
