import { brotliCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import {
  type BundledRecord,
  type BundleName,
  decodeRecordBundle,
  encodeRecordBundle,
  isBundleName,
} from '../../../core/format/record-bundle.ts'
import { recordIdOf } from '../../../core/format/root-record.ts'
import { damaged } from '../../support/damage.ts'
import { readGolden } from '../../support/golden.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

function bundled(json: Uint8Array, second = 0): BundledRecord {
  return { id: recordIdOf(json), writtenAt: `2026-01-02T03:04:0${second}.000Z`, json }
}

const GOLDEN = readGolden('root-record/v1/final.json')
const BUNDLE = {
  supersedes: ['a'.repeat(64) as BundleName],
  records: [bundled(GOLDEN), bundled(readGolden('root-record/v1/intent.json'), 1)],
}
const NAME = 'a8d1ea6e4bf7b94a5c5195c48eec6ad68d3b74980a59e8e9f9f2495ba905f727' as BundleName

function bundleOf(header: unknown, ...parts: Uint8Array[]) {
  const content = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...parts])
  return { bytes: brotliCompressSync(content), name: hexOf(digestOf(content)) as BundleName }
}

describe('a record bundle', () => {
  test('comes back as it was', () => {
    for (const bundle of [BUNDLE, { supersedes: [], records: [] }]) {
      const { name, bytes } = encodeRecordBundle(bundle)
      expect(isBundleName(name)).toBe(true)
      expect(decodeRecordBundle(bytes, name)).toEqual(bundle)
    }
  })

  test('that is golden is read, and written up to its compression', () => {
    expect(decodeRecordBundle(readGolden('record-bundle/v1/two.hex'), NAME)).toEqual(BUNDLE)
    expect(encodeRecordBundle(BUNDLE).name).toBe(NAME)
  })

  test('of records that repeat each other weighs little more than one of them', () => {
    const pack = (i: number) => [hexOf(digestOf(Buffer.from(`${i}`))), 'data', 67108900, 1234]
    const packs = Array.from({ length: 2000 }, (_, i) => pack(i))
    const recordOf = (i: number) => Buffer.from(JSON.stringify({ varve: 1, i, packs: [...packs, pack(-i)] }))
    const weigh = (count: number) => {
      const records = Array.from({ length: count }, (_, i) => bundled(recordOf(i)))
      return encodeRecordBundle({ supersedes: [], records }).bytes.length
    }
    expect(weigh(40)).toBeLessThan(weigh(1) * 1.5)
  })

  test('with any bit flipped or its end cut off is corrupt, and named', () => {
    const { name, bytes } = encodeRecordBundle(BUNDLE)
    for (const wrong of damaged(bytes)) {
      const outcome = outcomeOf(() => decodeRecordBundle(wrong, name))
      if (!(outcome instanceof VarveError)) expect(outcome).toEqual(BUNDLE)
      else expect([outcome.code, outcome.message]).toEqual(['CORRUPT', expect.stringContaining(name)])
    }
  })

  const id = recordIdOf(GOLDEN)
  const { length } = GOLDEN
  test.each([
    [{ varve: 1, supersedes: [], records: [[id, 'then', length - 1]] }, 'CORRUPT'],
    [{ varve: 1, supersedes: [], records: [['a'.repeat(64), 'then', length]] }, 'CORRUPT'],
    [{ varve: 1, supersedes: [], records: [[id, 'then', 2 ** 40]] }, 'MALFORMED'],
    [{ varve: 1, supersedes: [], records: [[id, 'then', -1]] }, 'MALFORMED'],
    [{ varve: 1, supersedes: [], records: [[id, 5, length]] }, 'MALFORMED'],
    [{ varve: 1, supersedes: [], records: [['../x', 'then', length]] }, 'MALFORMED'],
    [{ varve: 1, supersedes: [], records: [] }, 'MALFORMED'],
    [{ varve: 1, supersedes: [], records: {} }, 'MALFORMED'],
    [{ varve: 1, supersedes: ['../x'], records: [[id, 'then', length]] }, 'MALFORMED'],
    [{ varve: 1, supersedes: null, records: [[id, 'then', length]] }, 'MALFORMED'],
    [{ varve: 2, supersedes: [], records: [[id, 'then', length]] }, 'TOO_NEW'],
    [{ supersedes: [], records: [[id, 'then', length]] }, 'MALFORMED'],
    [null, 'MALFORMED'],
    ['x', 'MALFORMED'],
  ])('with the header %j is %s', (header, code) => {
    const { bytes, name } = bundleOf(header, GOLDEN)
    expect(varveErrorOf(() => decodeRecordBundle(bytes, name)).code).toBe(code)
  })

  test('without a line is malformed', () => {
    const content = Buffer.from('{}')
    const name = hexOf(digestOf(content)) as BundleName
    expect(varveErrorOf(() => decodeRecordBundle(brotliCompressSync(content), name)).code).toBe('MALFORMED')
  })

  test('that swells past any honest size is refused', () => {
    const bomb = brotliCompressSync(Buffer.alloc(513 << 20), { params: { 1: 1 } })
    expect(bomb.length).toBeLessThan(1 << 20)
    expect(varveErrorOf(() => decodeRecordBundle(bomb, NAME)).code).toBe('MALFORMED')
  })
})
