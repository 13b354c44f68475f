import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import type { SegmentName } from '../../../core/format/segment.ts'
import { RowBuffer } from '../../../core/store/row-buffer.ts'
import { writeSegment } from '../../../core/store/segment-writer.ts'
import { indexFolder, segmentPath, temporaryFolder } from '../../../core/store/store-layout.ts'
import { counting, readGolden } from '../../support/golden.ts'
import { chunkRows, numberedDigest, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

test('writes the golden segment again from its rows', () => {
  const golden = readGolden('segment/v1/rows.idx')
  const rows = Array.from({ length: 200 }, (_, i) => {
    const at = Math.floor(i / 81) * 4096 + (i % 81) * 50
    return golden.subarray(at, at + 50)
  })
  const hexName = (first: number) => hexOf(counting(first))
  const root = makeTemporaryFolder()
  const name = writeSegment(root, {
    rows,
    mostRows: 200,
    packs: [hexName(1), hexName(2)] as never,
    superseded: [hexName(3)] as string[] as SegmentName[],
    tombstones: [hexName(4), hexName(5)] as never,
  })
  expect(name).toBe(hexOf(digestOf(golden)))
  expect(readFileSync(segmentPath(root, name)).equals(golden)).toBe(true)
})

test('names a segment after its bytes, read-only, and leaves nothing else', () => {
  const root = makeTemporaryFolder()
  const rows = new RowBuffer()
  rows.addPack(packNamed(0), chunkRows(Array.from({ length: 30_000 }, (_, i) => numberedDigest(i))))
  const content = { rows: rows.sorted(), mostRows: 30_000, packs: rows.packs }
  const name = writeSegment(root, content)
  expect(hexOf(digestOf(readFileSync(segmentPath(root, name))))).toBe(name)
  expect(readdirSync(indexFolder(root))).toEqual([`${name}.idx`])
  expect(readdirSync(temporaryFolder(root))).toEqual([])
  expect(statSync(segmentPath(root, name)).mode & 0o222).toBe(0)
  expect(writeSegment(root, { ...content, rows: rows.sorted() })).toBe(name)
})

test('that fails on the way leaves nothing', () => {
  const root = makeTemporaryFolder()
  const failing = function* () {
    yield* chunkRowsOf(200)
    throw new Error('no more rows')
  }
  expect(() => writeSegment(root, { rows: failing(), mostRows: 400, packs: [packNamed(0)] })).toThrow(
    'no more rows',
  )
  expect(existsSync(indexFolder(root))).toBe(false)
  expect(readdirSync(temporaryFolder(root))).toEqual([])
})

test('refuses more rows than its counters can count', () => {
  const content = { rows: [], mostRows: 2 ** 32, packs: [] }
  expect(varveErrorOf(() => writeSegment(makeTemporaryFolder(), content)).message).toContain('4 billion rows')
})

function* chunkRowsOf(count: number): Generator<Buffer> {
  const rows = new RowBuffer()
  rows.addPack(packNamed(0), chunkRows(Array.from({ length: count }, (_, i) => numberedDigest(i))))
  yield* rows.sorted()
}
