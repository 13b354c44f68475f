import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksumOf } from '../../../core/checksum.ts'
import { digestOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import {
  CODECS,
  decodePackFooter,
  decodePackHeader,
  decodePackTable,
  ENTRY_KINDS,
  encodePackFooter,
  encodePackHeader,
  encodePackTable,
  findTableEntry,
  isPackName,
  MAX_ENTRY_BYTES,
  MAX_PACK_BYTES,
  MAX_TABLE_BYTES,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_SALT_BYTES,
  type PackClass,
  type PackEntry,
  type PackName,
  packNameOf,
  verifyPackTable,
} from '../../../core/format/pack.ts'
import { encodeNode, encodeRecipeRoot } from '../../../core/format/recipe.ts'
import { decodeEntry, verifyChecksum } from '../../../core/store/entry-codec.ts'
import { damaged } from '../../support/damage.ts'
import { counting, readGolden } from '../../support/golden.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

type Item = Pick<PackEntry, 'kind' | 'codec' | 'digest' | 'rawBytes'> & { stored: Buffer }

/** A whole pack, put together by the codec's parts. */
function encodePack(packClass: PackClass, salt: Uint8Array, items: readonly Item[]): Buffer {
  let offset = PACK_HEADER_BYTES
  const entries = items.map(({ stored, ...item }) => {
    const entry = { ...item, offset, storedBytes: stored.length, checksum: checksumOf(stored) }
    offset += stored.length
    return entry
  })
  const table = encodePackTable(salt, entries)
  const footer = { tableOffset: offset, tableBytes: table.length, tableChecksum: checksumOf(table) }
  return Buffer.concat([
    encodePackHeader(packClass),
    ...items.map(({ stored }) => stored),
    table,
    encodePackFooter(footer),
  ])
}

function decodePack(bytes: Buffer, name: PackName): { class: PackClass; entries: PackEntry[] } {
  const packClass = decodePackHeader(bytes.subarray(0, PACK_HEADER_BYTES), 'pack')
  const footer = decodePackFooter(bytes.subarray(-PACK_FOOTER_BYTES), bytes.length, 'pack')
  const table = bytes.subarray(footer.tableOffset, footer.tableOffset + footer.tableBytes)
  return { class: packClass, entries: verifyPackTable(table, footer, name) }
}

const hello = Buffer.from('hello, varve\n')
const repeated = Buffer.from('varve '.repeat(100))
const node = encodeNode(0, [
  { digest: counting(0x10), lengthBytes: 65536 },
  { digest: counting(0x20), lengthBytes: 1 },
  { digest: counting(0x30), lengthBytes: 262144 },
])
const recipe = encodeRecipeRoot({ rootNode: counting(0x60), lengthBytes: 327681 })
const raw = (kind: Item['kind'], bytes: Buffer, digest = digestOf(bytes)): Item => ({
  kind,
  codec: 'raw',
  digest,
  rawBytes: bytes.length,
  stored: bytes,
})

/** One compressor's frame: others give other bytes, and any decompressor reads it. */
const frame = readGolden('pack/v1/data.hex').subarray(29, 29 + 23)
const SALT = Buffer.from(Array.from({ length: PACK_SALT_BYTES }, (_, i) => 0xa0 + i))

const GOLDEN: { file: string; class: PackClass; name: string; salt: Buffer; items: Item[] }[] = [
  {
    file: 'data.hex',
    class: 'data',
    name: 'e10f775e3180ad07c022ac614c6b174190c93f51f5c2fe1892b23059ccd148f0',
    salt: SALT,
    items: [
      raw('chunk', hello),
      raw('chunk', Buffer.alloc(0)),
      { kind: 'chunk', codec: 'zstd', digest: digestOf(repeated), rawBytes: 600, stored: frame },
    ],
  },
  {
    file: 'metadata.hex',
    class: 'metadata',
    name: '5fa2bc758be957a18220ef87118eadbd96da14c6f161b927e6c7fb785d7a2b76',
    salt: SALT,
    items: [raw('chunk', Buffer.from([1])), raw('node', node), raw('recipe', recipe, counting(0x70))],
  },
  {
    file: 'empty.hex',
    class: 'data',
    name: 'e572dff82304700b856a555ac3a4558d0df3646a3727816500270a93c66aac1e',
    salt: Buffer.alloc(PACK_SALT_BYTES),
    items: [],
  },
]

describe.each(GOLDEN)('the golden pack $file', ({ file, class: packClass, name, salt, items }) => {
  const bytes = readGolden(`pack/v1/${file}`)

  test('is what the codec writes', () => {
    expect(encodePack(packClass, salt, items).toString('hex')).toBe(bytes.toString('hex'))
  })

  test('is read whole, under its name', () => {
    const decoded = decodePack(bytes, name as PackName)
    expect(decoded.class).toBe(packClass)
    expect(
      decoded.entries.map(({ kind, codec, digest, rawBytes }) => ({ kind, codec, digest, rawBytes })),
    ).toEqual(items.map(({ stored: _, ...item }) => item))
    for (const [i, entry] of decoded.entries.entries()) {
      const stored = bytes.subarray(entry.offset, entry.offset + entry.storedBytes)
      expect(stored).toEqual(items[i]!.stored)
      verifyChecksum(entry, stored)
      expect(decodeEntry({ ...entry, stored }).length).toBe(entry.rawBytes)
    }
  })

  test('with any bit flipped or its end cut off gives an error of ours, or the same entries', () => {
    const intact = decodePack(bytes, name as PackName)
    const { tableOffset } = decodePackFooter(bytes.subarray(-PACK_FOOTER_BYTES), bytes.length, 'pack')
    let at = -bytes.length
    for (const wrong of damaged(bytes)) {
      const outcome = outcomeOf(() => decodePack(wrong, name as PackName))
      if (outcome instanceof VarveError) {
        expect(['MALFORMED', 'CORRUPT', 'TOO_NEW']).toContain(outcome.code)
      } else {
        // Payloads are guarded entry by entry; the header's class by nothing but the record that names the pack.
        expect(at >= 12 && at < tableOffset, `byte ${at}`).toBe(true)
        expect(outcome.entries).toEqual(intact.entries)
      }
      at++
    }
  })
})

const anyItem: fc.Arbitrary<Item> = fc
  .record({
    kind: fc.constantFrom(...ENTRY_KINDS),
    codec: fc.constantFrom(...CODECS),
    digest: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
    stored: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ratio: fc.nat(40),
  })
  .map(({ ratio, ...item }) => ({ ...item, rawBytes: item.codec === 'raw' ? item.stored.length : ratio }))

describe('a pack', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.constantFrom('data', 'metadata'), fc.array(anyItem), (packClass, items) => {
        const bytes = encodePack(packClass, SALT, items)
        const footer = decodePackFooter(bytes.subarray(-PACK_FOOTER_BYTES), bytes.length, 'pack')
        const name = packNameOf(bytes.subarray(footer.tableOffset, -PACK_FOOTER_BYTES))
        const decoded = decodePack(bytes, name)
        expect(decoded.class).toBe(packClass)
        for (const [i, { offset, storedBytes, checksum, ...rest }] of decoded.entries.entries()) {
          const { stored, ...item } = items[i]!
          expect(rest).toEqual(item)
          expect(bytes.subarray(offset, offset + storedBytes)).toEqual(stored)
          expect(checksum).toBe(checksumOf(stored))
        }
        expect(decoded.entries).toHaveLength(items.length)
      }),
    )
  })

  test('has another name with another salt', () => {
    const names = [0, 1].map((first) => packNameOf(encodePackTable(Buffer.alloc(16, first), [])))
    expect(names[0]).not.toBe(names[1])
    for (const name of names) expect(isPackName(name)).toBe(true)
  })

  test.each([
    '',
    'ab',
    'G'.repeat(64),
    'A'.repeat(64),
    'a'.repeat(65),
    `${'a'.repeat(63)}\n`,
    '../'.repeat(21),
  ])('is not named %j', (text) => {
    expect(isPackName(text)).toBe(false)
  })
})

describe('a header', () => {
  test('of a later version is refused with the remedy', () => {
    const bytes = encodePackHeader('data')
    bytes[8] = 2
    const { code, hint } = varveErrorOf(() => decodePackHeader(bytes, 'pack x'))
    expect([code, hint]).toEqual(['TOO_NEW', 'Upgrade varve to read this store or remote.'])
  })

  test.each([
    ['another magic', 0, 'not a pack'],
    ['a class that there is not', 12, 'a broken header'],
    ['something where nothing belongs', 14, 'a broken header'],
  ])('with %s is refused', (_, at, why) => {
    const bytes = encodePackHeader('metadata')
    bytes[at]! ^= 4
    const { code, message } = varveErrorOf(() => decodePackHeader(bytes, 'pack x'))
    expect([code, message]).toEqual(['MALFORMED', `pack x: ${why}`])
  })
})

describe('a footer', () => {
  const decode = (footer: { tableOffset: number; tableBytes: number }, packBytes: number) =>
    decodePackFooter(encodePackFooter({ ...footer, tableChecksum: 1n }), packBytes, 'pack x')

  test('fits the pack exactly', () => {
    expect(decode({ tableOffset: 16, tableBytes: 16 }, 64)).toMatchObject({ tableOffset: 16, tableBytes: 16 })
    for (const [tableOffset, tableBytes, packBytes] of [
      [16, 16, 63],
      [16, 16, 65],
      [17, 16, 64],
      [15, 17, 64],
      [0, 32, 64],
      [Number.MAX_SAFE_INTEGER, 16, 64],
    ] as const) {
      const { code, message } = varveErrorOf(() => decode({ tableOffset, tableBytes }, packBytes))
      expect([code, message]).toEqual(['MALFORMED', 'pack x: a footer that does not fit the pack'])
    }
  })

  test('that claims more than any honest pack has is refused before anything is read by it', () => {
    const most = MAX_PACK_BYTES - PACK_FOOTER_BYTES
    expect(decode({ tableOffset: most - 16, tableBytes: 16 }, MAX_PACK_BYTES).tableBytes).toBe(16)
    for (const [tableOffset, tableBytes, packBytes] of [
      [most - 15, 16, MAX_PACK_BYTES + 1],
      [16, MAX_TABLE_BYTES + 1, 16 + MAX_TABLE_BYTES + 1 + PACK_FOOTER_BYTES],
    ] as const) {
      const { code, message } = varveErrorOf(() => decode({ tableOffset, tableBytes }, packBytes))
      expect([code, message]).toEqual(['MALFORMED', 'pack x: too large'])
    }
  })
})

describe('a table', () => {
  const entry: PackEntry = {
    kind: 'chunk',
    codec: 'raw',
    digest: counting(1),
    offset: PACK_HEADER_BYTES,
    storedBytes: 10,
    rawBytes: 10,
    checksum: 5n,
  }
  const next = { ...entry, offset: PACK_HEADER_BYTES + 10 }
  const decode = (entries: readonly PackEntry[], tableOffset: number) => {
    const table = encodePackTable(SALT, entries)
    return decodePackTable(table, { tableOffset, tableBytes: table.length, tableChecksum: 0n }, 'pack x')
  }
  const refusal = (entries: readonly PackEntry[], tableOffset: number) => {
    const { code, message } = varveErrorOf(() => decode(entries, tableOffset))
    return `${code} ${message}`
  }

  test('lists entries that follow each other to its own beginning', () => {
    expect(decode([entry, next], PACK_HEADER_BYTES + 20)).toEqual([entry, next])
    const place = 'MALFORMED pack x: entries that overlap or leave a gap'
    for (const offset of [next.offset - 1, next.offset + 1, 0, PACK_HEADER_BYTES, 2 ** 40]) {
      expect(refusal([entry, { ...next, offset }], PACK_HEADER_BYTES + 20)).toBe(place)
    }
    expect(refusal([{ ...entry, offset: 0 }], PACK_HEADER_BYTES + 10)).toBe(place)
    for (const end of [19, 21]) {
      expect(refusal([entry, next], PACK_HEADER_BYTES + end)).toBe(
        'MALFORMED pack x: entries that do not fill the pack',
      )
    }
  })

  test.each([
    ['chunk', MAX_ENTRY_BYTES],
    ['node', 2 + 4096 * 40],
    ['recipe', 40],
  ] as const)('lets a %s have %i bytes and no more', (kind, most) => {
    const of = (rawBytes: number) => ({ ...entry, kind, codec: 'zstd' as const, rawBytes })
    expect(decode([of(most)], PACK_HEADER_BYTES + 10)).toHaveLength(1)
    expect(refusal([of(most + 1)], PACK_HEADER_BYTES + 10)).toBe(
      `MALFORMED pack x: an entry of ${most + 1} bytes`,
    )
  })

  test('refuses stored bytes over the bound, and a raw entry of two lengths', () => {
    const stored = { ...entry, codec: 'zstd' as const, storedBytes: MAX_ENTRY_BYTES + 1 }
    expect(refusal([stored], PACK_HEADER_BYTES + MAX_ENTRY_BYTES + 1)).toBe(
      'MALFORMED pack x: an entry of 10 bytes',
    )
    expect(refusal([{ ...entry, rawBytes: 11 }], PACK_HEADER_BYTES + 10)).toBe(
      'MALFORMED pack x: a raw entry of two lengths',
    )
  })

  test('of an unknown kind is malformed, of an unknown codec too new', () => {
    const table = encodePackTable(SALT, [entry])
    const footer = { tableOffset: PACK_HEADER_BYTES + 10, tableBytes: table.length, tableChecksum: 0n }
    const withByte = (at: number, value: number) => {
      const copy = Buffer.from(table)
      copy[at] = value
      return varveErrorOf(() => decodePackTable(copy, footer, 'pack x'))
    }
    expect(withByte(PACK_SALT_BYTES, 3)).toMatchObject({
      code: 'MALFORMED',
      message: 'pack x: an entry of unknown kind',
    })
    expect(withByte(PACK_SALT_BYTES + 1, 2)).toMatchObject({ code: 'TOO_NEW', message: 'pack x: codec 2' })
  })

  test('that does not match its footer or its name is corrupt, and named', () => {
    const table = encodePackTable(SALT, [entry])
    const footer = {
      tableOffset: PACK_HEADER_BYTES + 10,
      tableBytes: table.length,
      tableChecksum: checksumOf(table),
    }
    const name = packNameOf(table)
    expect(verifyPackTable(table, footer, name)).toEqual([entry])
    const other = packNameOf(Buffer.alloc(1))
    for (const [stated, as] of [
      [{ ...footer, tableChecksum: footer.tableChecksum ^ 1n }, name],
      [footer, other],
    ] as const) {
      const { code, message, hint } = varveErrorOf(() => verifyPackTable(table, stated, as))
      expect([code, message]).toEqual(['CORRUPT', `pack ${as}: its table is damaged`])
      expect(hint).toContain('varve verify')
    }
  })
})

test('an entry is found by where it begins, and nothing elsewhere', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5), { maxLength: 30 }), (lengths) => {
      let offset = PACK_HEADER_BYTES
      const entries = lengths.map((storedBytes, index): PackEntry => {
        const digest = digestOf(Buffer.from(String(index)))
        const entry = {
          kind: 'node',
          codec: 'raw',
          digest,
          offset,
          storedBytes,
          rawBytes: storedBytes,
          checksum: 7n,
        } as const
        offset += storedBytes
        return entry
      })
      const table = encodePackTable(Buffer.alloc(PACK_SALT_BYTES, 9), entries)
      for (let at = 0; at < offset + 3; at++) {
        const expected = entries.find((entry) => entry.offset === at && entry.storedBytes > 0)
        expect(findTableEntry(table, at, 'table')).toEqual(expected)
      }
    }),
  )
})
