import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ENTRY_KINDS, type PackEntry } from '../../../core/format/pack.ts'
import { ROW_BYTES, readRow } from '../../../core/format/segment.ts'
import { RowBuffer, rowsOf } from '../../../core/store/row-buffer.ts'
import { chunkRows, numberedDigest, packEntry, packNamed } from '../../support/rows.ts'

const anyEntry: fc.Arbitrary<PackEntry> = fc
  .tuple(fc.nat(3), fc.nat(3), fc.constantFrom(...ENTRY_KINDS), fc.nat(1000))
  .map(([first, last, kind, offset]) => {
    const digest = Buffer.alloc(32)
    digest[0] = first
    digest[31] = last
    return packEntry(digest, { kind, offset })
  })

/** Copies, one a row. */
function sortedRows(buffer: RowBuffer): Buffer[] {
  const rows: Buffer[] = []
  for (const block of buffer.sorted()) {
    expect(block.length % ROW_BYTES).toBe(0)
    for (let at = 0; at < block.length; at += ROW_BYTES) {
      rows.push(Buffer.from(block.subarray(at, at + ROW_BYTES)))
    }
  }
  return rows
}

test('gives rows in the order of their bytes, each with its pack', () => {
  fc.assert(
    fc.property(fc.array(fc.array(anyEntry), { maxLength: 5 }), (packs) => {
      const buffer = new RowBuffer()
      for (const [i, entries] of packs.entries()) buffer.addPack(packNamed(i), rowsOf(entries))
      const rows = sortedRows(buffer)
      expect(rows).toEqual(rows.toSorted(Buffer.compare))
      expect(buffer.count).toBe(packs.flat().length)
      expect(buffer.packs).toEqual(packs.map((_, i) => packNamed(i)))
      const expected = packs.flatMap((entries, packIndex) =>
        entries.map(
          ({ digest, kind, offset }) =>
            `${Buffer.from(digest).toString('hex')} ${kind} ${packIndex} ${offset}`,
        ),
      )
      const got = rows.map((row) => {
        const { kind, packIndex, offset } = readRow(row, 0, 'row')
        return `${row.toString('hex', 0, 32)} ${kind} ${packIndex} ${offset}`
      })
      expect(got.sort()).toEqual(expected.sort())
    }),
  )
})

test('sorts rows by the thousand, whatever the order in which they came', () => {
  const buffer = new RowBuffer()
  for (let pack = 0; pack < 10; pack++) {
    buffer.addPack(
      packNamed(pack),
      chunkRows(Array.from({ length: 5000 }, (_, i) => numberedDigest(pack + i * 10))),
    )
  }
  const rows = sortedRows(buffer)
  expect(rows).toHaveLength(50_000)
  for (let i = 1; i < rows.length; i++) expect(Buffer.compare(rows[i - 1]!, rows[i]!)).toBeLessThan(0)
})

test('sorts rows whose digests are not spread, and many of one digest', () => {
  const buffer = new RowBuffer()
  const digests = Array.from({ length: 3000 }, (_, i) => {
    const digest = Buffer.alloc(32, 7)
    digest.writeUInt16BE(i % 2 === 0 ? 0 : (i * 7919) % 3000, 30)
    return digest
  })
  buffer.addPack(packNamed(0), chunkRows(digests))
  const rows = sortedRows(buffer)
  expect(rows).toHaveLength(3000)
  for (let i = 1; i < rows.length; i++) expect(Buffer.compare(rows[i - 1]!, rows[i]!)).toBeLessThan(0)
})

test('of nothing gives nothing', () => {
  expect(sortedRows(new RowBuffer())).toEqual([])
  const buffer = new RowBuffer()
  buffer.addPack(packNamed(1), rowsOf([]))
  expect([sortedRows(buffer), buffer.packs]).toEqual([[], [packNamed(1)]])
})

test('leaves the rows that it is given as they are', () => {
  const rows = chunkRows([numberedDigest(1)])
  const buffer = new RowBuffer()
  buffer.addPack(packNamed(0), rows)
  buffer.addPack(packNamed(1), rows)
  expect(sortedRows(buffer).map((row) => readRow(row, 0, 'row').packIndex)).toEqual([0, 1])
  expect(readRow(rows, 0, 'row').packIndex).toBe(0)
  expect(rows).toHaveLength(ROW_BYTES)
})
