import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checksumOf } from '../../../core/checksum.ts'
import { ByteWriter } from '../../../core/format/byte-writer.ts'
import {
  BASE_FOOTER_BYTES,
  BASE_HEADER_BYTES,
  type DirectoryBlock,
  decodeBaseFooter,
  decodeFrame,
  digestIfSame,
  ENTRY_BYTES,
  type EntryStamp,
  encodeBaseFooter,
  encodeBaseHeader,
  encodeFrame,
  encodePlace,
  FORGOTTEN,
  isBaseHeader,
  isForgotten,
  PLACE_BYTES,
  placeAt,
  writeEntry,
} from '../../../core/format/stat-cache.ts'
import { StatTable, StatTableBuilder } from '../../../core/format/stat-table.ts'
import { compareNames } from '../../../core/format/tree.ts'

const GENERATION = 0x0123_4567_89ab_cdefn
const STAMP: EntryStamp = {
  sizeBytes: 5_000_000_000,
  mtimeMs: 1_700_000_000_123.25,
  ctimeMs: 1_700_000_000_456.5,
  inode: 2 ** 40 + 1,
  mode: 0o100644,
}
const DIGEST = Buffer.alloc(32, 0xd1)

function blockOf(entries: Record<string, EntryStamp | 'forgotten'>): Buffer {
  const table = new StatTableBuilder()
  for (const [name, entry] of Object.entries(entries)) {
    const writer = new ByteWriter()
    if (entry === 'forgotten') writer.bytes(FORGOTTEN)
    else writeEntry(writer, entry, DIGEST)
    table.add(Buffer.from(name), writer.view())
  }
  return table.finish()
}

const BLOCKS: DirectoryBlock[] = [
  { directory: '', block: blockOf({ 'model.bin': STAMP }) },
  { directory: 'data/été', block: blockOf({ 'a.csv': STAMP, 'b.csv': { ...STAMP, mode: 0o100755 } }) },
]
const LATER: DirectoryBlock[] = [
  { directory: 'data/été', block: blockOf({ 'a.csv': 'forgotten', 'c.csv': { ...STAMP, sizeBytes: 0 } }) },
]

function encodeBase(blocks: readonly DirectoryBlock[]): Buffer {
  const base = new ByteWriter().bytes(encodeBaseHeader())
  const table = new StatTableBuilder()
  for (const { directory, block } of blocks) {
    const place = { offset: base.length, sizeBytes: block.length, checksum: checksumOf(block) }
    table.add(Buffer.from(directory), encodePlace(place))
    base.bytes(block)
  }
  const tableBytes = table.finish()
  const footer = {
    generation: GENERATION,
    tableOffset: base.length,
    tableBytes: tableBytes.length,
    tableChecksum: checksumOf(tableBytes),
  }
  return base.bytes(tableBytes).bytes(encodeBaseFooter(footer)).finish()
}

function golden(name: string): Buffer {
  const text = readFileSync(new URL(`../../golden/stat-cache/v1/${name}`, import.meta.url), 'utf8')
  return Buffer.from(text.replace(/\s/g, ''), 'hex')
}

/** Every buffer that differs from `bytes` in one bit or by its end cut off. */
function* damaged(bytes: Buffer): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i++) {
    const copy = Buffer.from(bytes)
    copy[i]! ^= 1 << (i % 8)
    yield copy
  }
  for (let length = 0; length < bytes.length; length++) yield bytes.subarray(0, length)
}

describe('golden files', () => {
  test('a base', () => {
    const bytes = golden('base.hex')
    expect(encodeBase(BLOCKS).toString('hex')).toBe(bytes.toString('hex'))

    expect(isBaseHeader(bytes.subarray(0, BASE_HEADER_BYTES))).toBe(true)
    const footer = decodeBaseFooter(bytes.subarray(-BASE_FOOTER_BYTES))!
    expect(footer.generation).toBe(GENERATION)
    const tableBytes = bytes.subarray(footer.tableOffset, footer.tableOffset + footer.tableBytes)
    expect(checksumOf(tableBytes)).toBe(footer.tableChecksum)
    const table = StatTable.open(tableBytes, PLACE_BYTES)!
    const { offset, sizeBytes, checksum } = placeAt(table, table.find('data/été'))
    const block = bytes.subarray(offset, offset + sizeBytes)
    expect(checksumOf(block)).toBe(checksum)
    const entries = StatTable.open(block, ENTRY_BYTES)!
    expect([entries.name(0), entries.name(1)]).toEqual(['a.csv', 'b.csv'])
    expect(digestIfSame(entries, 0, STAMP)).toEqual(new Uint8Array(DIGEST))
    expect(digestIfSame(entries, 1, STAMP)).toBeUndefined()
  })

  test('a journal of two frames', () => {
    const bytes = golden('journal.hex')
    const frames = [encodeFrame(GENERATION, BLOCKS), encodeFrame(GENERATION, LATER)]
    expect(Buffer.concat(frames).toString('hex')).toBe(bytes.toString('hex'))

    const first = decodeFrame(bytes, 0, GENERATION)!
    expect(first.directories).toEqual(BLOCKS)
    const second = decodeFrame(bytes, first.end, GENERATION)!
    expect(second.directories).toEqual(LATER)
    expect(second.end).toBe(bytes.length)
    const entries = StatTable.open(second.directories[0]!.block, ENTRY_BYTES)!
    expect([isForgotten(entries, 0), isForgotten(entries, 1)]).toEqual([true, false])
  })
})

describe('an entry', () => {
  test('is believed only under a stamp that is equal in every field', () => {
    const table = StatTable.open(blockOf({ name: STAMP }), ENTRY_BYTES)!
    expect(digestIfSame(table, 0, { ...STAMP })).toEqual(new Uint8Array(DIGEST))
    for (const field of ['sizeBytes', 'mtimeMs', 'ctimeMs', 'inode', 'mode'] as const) {
      // The least step that a double of today's milliseconds can take.
      const other = { ...STAMP, [field]: STAMP[field] + (field.endsWith('Ms') ? 2 ** -12 : 1) }
      expect(digestIfSame(table, 0, other), field).toBeUndefined()
    }
  })

  test('that is forgotten has no digest under any stamp', () => {
    const table = StatTable.open(blockOf({ name: 'forgotten' }), ENTRY_BYTES)!
    const zero = { sizeBytes: 0, mtimeMs: 0, ctimeMs: 0, inode: 0, mode: 0 }
    expect(digestIfSame(table, 0, zero)).toBeUndefined()
  })
})

describe('damage', () => {
  test('a frame with any bit flipped or any byte missing is none', () => {
    const frame = encodeFrame(GENERATION, BLOCKS)
    for (const bytes of damaged(frame)) expect(decodeFrame(bytes, 0, GENERATION)).toBeUndefined()
  })

  test('a frame of another generation is none', () => {
    expect(decodeFrame(encodeFrame(GENERATION, BLOCKS), 0, GENERATION + 1n)).toBeUndefined()
  })

  test('a footer with any bit flipped or any byte missing is none', () => {
    const footer = { generation: GENERATION, tableOffset: 12, tableBytes: 4, tableChecksum: 1n }
    const bytes = encodeBaseFooter(footer)
    expect(decodeBaseFooter(bytes)).toEqual(footer)
    for (const wrong of damaged(bytes)) expect(decodeBaseFooter(wrong)).toBeUndefined()
  })

  test('a header with any bit flipped or any byte missing is none', () => {
    for (const wrong of damaged(encodeBaseHeader())) expect(isBaseHeader(wrong)).toBe(false)
  })

  test('any bytes open as a table that can be read to its end, or not at all', () => {
    const table = blockOf({ a: STAMP, bc: STAMP, def: STAMP })
    const read = (bytes: Buffer) => {
      const opened = StatTable.open(bytes, ENTRY_BYTES)
      for (let i = 0; i < (opened?.count ?? 0); i++) {
        expect(opened!.record(i).length).toBe(ENTRY_BYTES)
        expect(opened!.name(i)).toBe(opened!.nameBytes(i).toString())
      }
    }
    for (const bytes of damaged(table)) read(bytes)
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => read(Buffer.from(bytes))))
  })
})

describe('StatTable', () => {
  test('finds every name in any order, and no other', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 8 })
    fc.assert(
      fc.property(
        fc.uniqueArray(name),
        fc.array(name),
        fc.infiniteStream(fc.nat()),
        (names, others, random) => {
          const sorted = names.toSorted(compareNames)
          const builder = new StatTableBuilder()
          for (const [i, name] of sorted.entries()) builder.add(Buffer.from(name), Buffer.from([i]))
          const table = StatTable.open(builder.finish(), 1)!
          for (const name of sorted) expect(table.find(name)).toBe(sorted.indexOf(name))
          for (const name of [...names, ...others].sort(() => (random.next().value! % 3) - 1)) {
            expect(table.find(name)).toBe(sorted.indexOf(name))
          }
        },
      ),
    )
  })
})
