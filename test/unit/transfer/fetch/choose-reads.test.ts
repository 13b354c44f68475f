import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hexOf } from '../../../../core/content-id.ts'
import { chooseReads } from '../../../../core/transfer/fetch/choose-reads.ts'
import type { PackTable } from '../../../../core/transfer/view/pack-tables.ts'
import { numberedDigest, packEntry, packNamed } from '../../../support/rows.ts'

/** A pack of entries of these lengths, numbered from `first`. */
function table(name: number, first: number, lengths: readonly number[]): PackTable {
  let offset = 16
  const entries = lengths.map((storedBytes, i) => {
    const entry = packEntry(numberedDigest(first + i), { offset, storedBytes, rawBytes: storedBytes })
    offset += storedBytes
    return entry
  })
  const tailBytes = 16 + 58 * lengths.length + 32
  const pack = { name: packNamed(name), class: 'data' as const, sizeBytes: offset + tailBytes, tailBytes }
  return { pack, entries }
}

const missing = (...numbers: number[]) =>
  numbers.map((i) => ({ kind: 'chunk' as const, digest: numberedDigest(i), path: `${i}` }))

describe('chooseReads', () => {
  test('reads a pack whole where most of it is wanted', () => {
    const pack = table(0, 0, Array(10).fill(100_000))
    expect(chooseReads(missing(0, 1, 2, 3, 4, 5, 6), [pack])).toEqual({ whole: [pack.pack], ranges: [] })
    expect(chooseReads(missing(0, 1, 2, 3, 4, 5), [pack]).whole).toEqual([])
  })

  test('joins entries over small gaps, and no more', () => {
    const pack = table(0, 0, [100, 65_536, 100, 65_537, 100, 500_000])
    const { ranges } = chooseReads(missing(0, 2, 4), [pack])
    expect(ranges.map(({ start, endExclusive, entries }) => [start, endExclusive, entries.length])).toEqual([
      [16, 16 + 100 + 65_536 + 100, 2],
      [16 + 100 + 65_536 + 100 + 65_537, 16 + 100 + 65_536 + 100 + 65_537 + 100, 1],
    ])
  })

  test('ends a range at 16 MiB', () => {
    const pack = table(0, 0, Array(100).fill(1 << 20))
    const { ranges } = chooseReads(missing(...Array.from({ length: 40 }, (_, i) => i)), [pack])
    expect(ranges.map(({ entries }) => entries.length)).toEqual([16, 16, 8])
  })

  test('takes nothing from packs that have nothing of it', () => {
    expect(chooseReads(missing(50), [table(0, 0, [10, 10])])).toEqual({ whole: [], ranges: [] })
    expect(chooseReads([], [table(0, 0, [])])).toEqual({ whole: [], ranges: [] })
  })

  test('reads every entry that there is, from one place, and asks for few bytes beside', () => {
    const anyTable = fc.tuple(fc.nat(30), fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }))
    fc.assert(
      fc.property(fc.array(anyTable, { maxLength: 5 }), fc.uniqueArray(fc.nat(60)), (packs, wanted) => {
        const tables = packs.map(([first, lengths], i) => table(i, first, lengths))
        const { whole, ranges } = chooseReads(missing(...wanted), tables)
        const inWhole = tables.filter(({ pack }) => whole.includes(pack)).flatMap(({ entries }) => entries)
        const inRanges = ranges.flatMap(({ entries }) => entries)
        const got = new Set([...inWhole, ...inRanges].map(({ digest }) => hexOf(digest)))
        const there = new Set(tables.flatMap(({ entries }) => entries.map(({ digest }) => hexOf(digest))))
        for (const number of wanted) {
          const id = hexOf(numberedDigest(number))
          expect(got.has(id)).toBe(there.has(id))
        }
        expect(new Set(inRanges.map(({ digest }) => hexOf(digest))).size).toBe(inRanges.length)
        for (const { start, endExclusive, entries } of ranges) {
          expect(entries[0]!.offset).toBe(start)
          const last = entries.at(-1)!
          expect(last.offset + last.storedBytes).toBe(endExclusive)
        }
      }),
    )
  })
})
