import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentIdFromDigest, hexOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import type { PackName } from '../../../core/format/pack.ts'
import {
  compressRecord,
  decodeRootRecord,
  decompressRecord,
  encodeRootRecord,
  isRecordId,
  type RecordId,
  type RootRecord,
  recordIdOf,
} from '../../../core/format/root-record.ts'
import { damaged } from '../../support/damage.ts'
import { counting, readGolden } from '../../support/golden.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

const nameOf = (first: number) => hexOf(counting(first)) as PackName
const FINAL: RootRecord = {
  kind: 'final',
  repository: '0123456789abcdef0123456789abcdef',
  createdAt: '2026-01-02T03:04:05.678Z',
  who: 'Ada <ada@example.org>',
  commits: ['a'.repeat(40)],
  packs: [
    { name: nameOf(1), class: 'data', sizeBytes: 67108900, tailBytes: 1234 },
    { name: nameOf(2), class: 'metadata', sizeBytes: 5000, tailBytes: 600 },
  ],
  pointers: [
    { path: 'data/été.csv', id: contentIdFromDigest(counting(7)), sizeBytes: 123456789, packs: [0, 1] },
    {
      path: 'images',
      id: contentIdFromDigest(counting(8)),
      sizeBytes: 0,
      only: ['images/train/**/*.png', 'images/a'],
      packs: [1],
    },
  ],
}
const INTENT: RootRecord = { ...FINAL, kind: 'intent', who: '', commits: [], packs: [], pointers: [] }

describe.each([
  ['final', FINAL, 'dfd337c8af0760127f4310416e147bd7ecfcc42615a672fb360f02d016fddd34'],
  ['intent', INTENT, '1ece1267dc0c6d53edb524b5537bc0e5c9f91c7a78672a6f804ad1716ea66fa1'],
] as const)('the golden record %s', (name, record, id) => {
  test('is read', () => {
    const json = decompressRecord(readGolden(`root-record/v1/${name}.hex`), id as RecordId)
    expect(recordIdOf(json)).toBe(id)
    expect(decodeRootRecord(json, id as RecordId)).toEqual(record)
  })

  // Compressors differ in their bytes, so the text is what is fixed, and named.
  test('is written, up to its compression', () => {
    const text = readGolden(`root-record/v1/${name}.json`).toString()
    expect(encodeRootRecord(record).toString()).toBe(text)
    expect(gunzipSync(compressRecord(encodeRootRecord(record))).toString()).toBe(text)
  })
})

const count = fc.nat(1 << 30)
const anyPack = fc
  .record({
    name: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hexOf(bytes) as PackName),
    class: fc.constantFrom('data' as const, 'metadata' as const),
    sizeBytes: count,
    tail: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ tail, ...pack }) => ({
    ...pack,
    tailBytes: Math.floor(Math.min(pack.sizeBytes, 256 << 20) * tail),
  }))
const anyRecord: fc.Arbitrary<RootRecord> = fc
  .record({
    kind: fc.constantFrom('intent' as const, 'final' as const),
    repository: fc.string(),
    createdAt: fc.string(),
    who: fc.string({ unit: 'grapheme' }),
    commits: fc.array(fc.string()),
    packs: fc.array(anyPack, { minLength: 1, maxLength: 8 }),
  })
  .chain((record) =>
    fc
      .array(
        fc.record(
          {
            path: fc.string({ unit: 'grapheme' }),
            id: fc.uint8Array({ minLength: 32, maxLength: 32 }).map(contentIdFromDigest),
            sizeBytes: fc.maxSafeNat(),
            only: fc.array(fc.string()),
            packs: fc.array(fc.nat(record.packs.length - 1)),
          },
          { requiredKeys: ['path', 'id', 'sizeBytes', 'packs'] },
        ),
      )
      .map((pointers) => ({ ...record, pointers })),
  )

describe('a root record', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encodeRootRecord(record)
        const id = recordIdOf(bytes)
        expect(isRecordId(id)).toBe(true)
        expect(decodeRootRecord(bytes, id)).toEqual(record)
      }),
    )
  })

  test('with any bit flipped or its end cut off is corrupt, and named', () => {
    const json = readGolden('root-record/v1/final.json')
    const id = recordIdOf(json)
    for (const wrong of damaged(json)) {
      const { code, message, hint } = varveErrorOf(() => decodeRootRecord(wrong, id))
      expect([code, message]).toEqual(['CORRUPT', `root record ${id}: its bytes do not match its name`])
      expect(hint).toBeDefined()
    }
  })

  test('that is damaged and named anew is refused, or another record', () => {
    for (const wrong of damaged(readGolden('root-record/v1/final.json'))) {
      const outcome = outcomeOf(() => decodeRootRecord(wrong, recordIdOf(wrong)))
      if (outcome instanceof VarveError) expect(['MALFORMED', 'TOO_NEW']).toContain(outcome.code)
      else expect(outcome).toMatchObject({ kind: 'final', packs: expect.any(Array) })
    }
  })

  test('whose compression is damaged is corrupt, or the same', () => {
    const bytes = readGolden('root-record/v1/final.hex')
    const json = readGolden('root-record/v1/final.json')
    for (const wrong of damaged(bytes)) {
      const outcome = outcomeOf(() => decompressRecord(wrong, recordIdOf(json)))
      if (outcome instanceof VarveError) expect(outcome.code).toBe('CORRUPT')
      // The header of gzip carries nothing that a record says.
      else expect(outcome).toEqual(json)
    }
  })

  const BODY = JSON.parse(readGolden('root-record/v1/final.json').toString())
  const refusal = (body: unknown) => {
    const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    return varveErrorOf(() => decodeRootRecord(bytes, recordIdOf(bytes)))
  }

  test.each([
    ['varve', { varve: '1' }],
    ['varve', { varve: undefined }],
    ['kind', { kind: 'last' }],
    ['repository', { repository: 5 }],
    ['createdAt', { createdAt: null }],
    ['who', { who: [] }],
    ['commits', { commits: 'all' }],
    ['commits', { commits: [1] }],
    ['packs', { packs: {} }],
    ['packs', { packs: [null] }],
    ['packs', { packs: [['../../x', 'data', 1, 1]] }],
    ['packs', { packs: [[nameOf(1), 'other', 1, 1]] }],
    ['packs', { packs: [[nameOf(1), 'data', -1, 0]] }],
    ['packs', { packs: [[nameOf(1), 'data', 1.5, 1]] }],
    ['packs', { packs: [[nameOf(1), 'data', 2 ** 30 + 1, 1]] }],
    ['packs', { packs: [[nameOf(1), 'data', 10, 11]] }],
    ['packs', { packs: [[nameOf(1), 'data', 2 ** 30, 2 ** 29]] }],
    ['pointers', { pointers: 1 }],
    ['pointers', { pointers: [[]] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], id: 'b3:0' }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], path: undefined }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], sizeBytes: 2 ** 53 }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], only: 'a' }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], packs: [2] }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], packs: [-1] }] }],
    ['pointers', { pointers: [{ ...BODY.pointers[0], packs: ['0'] }] }],
  ])('with a bad `%s` is malformed: %j', (key, change) => {
    const { code, message } = refusal({ ...BODY, ...change })
    expect(code).toBe('MALFORMED')
    expect(message).toMatch(new RegExp(`^root record [0-9a-f]{64}: \`${key}\` is not what it should be$`))
  })

  test.each(['null', '[]', '1', '"x"', '{', ''])('of the text %j is malformed', (text) => {
    expect(refusal(text).code).toBe('MALFORMED')
  })

  test('of a later version is refused with the remedy', () => {
    expect(refusal({ ...BODY, varve: 2 })).toMatchObject({
      code: 'TOO_NEW',
      hint: 'Upgrade varve to read this remote.',
    })
  })

  test('that swells past any honest size is refused', () => {
    // 513 MiB of zeros in half a megabyte.
    const bomb = gzipSync(Buffer.alloc(513 << 20))
    expect(bomb.length).toBeLessThan(1 << 20)
    expect(varveErrorOf(() => decompressRecord(bomb, recordIdOf(bomb))).code).toBe('MALFORMED')
  })
})
