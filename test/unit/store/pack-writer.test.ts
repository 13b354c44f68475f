import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import {
  MAX_TABLE_BYTES,
  type PackClass,
  type PackName,
  TARGET_PACK_BYTES,
} from '../../../core/format/pack.ts'
import { ROW_BYTES, readRow } from '../../../core/format/segment.ts'
import { decodeEntry, verifyChecksum } from '../../../core/store/entry-codec.ts'
import { PackReader } from '../../../core/store/pack-reader.ts'
import { PackWriter, type SealedPack } from '../../../core/store/pack-writer.ts'
import { packPath, packsFolder, temporaryFolder } from '../../../core/store/store-layout.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

function makeWriter(packClass: PackClass = 'data') {
  const root = makeTemporaryFolder()
  const sealed: SealedPack[] = []
  const onSealed = (pack: SealedPack) => {
    expect(existsSync(packPath(root, pack.name))).toBe(true)
    sealed.push(pack)
  }
  return { root, sealed, writer: new PackWriter({ root, class: packClass, onSealed }) }
}

function packsIn(root: string): string[] {
  if (!existsSync(packsFolder(root))) return []
  return readdirSync(packsFolder(root), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.pack'),
  )
}

const temporariesIn = (root: string) =>
  existsSync(temporaryFolder(root)) ? readdirSync(temporaryFolder(root)) : []

/** Every entry of a pack with its raw bytes, all proven. */
function readAll(root: string, name: PackName) {
  const packs = new PackReader(root)
  const { entries } = packs.readTable(name)
  const read = entries.map((entry) => {
    const stored = packs.read(name, entry.offset, entry.storedBytes)
    verifyChecksum(entry, stored)
    return { ...entry, raw: decodeEntry({ ...entry, stored }) }
  })
  packs.close()
  return read
}

describe('PackWriter', () => {
  test('writes entries in the order in which they come', () => {
    const { root, sealed, writer } = makeWriter('metadata')
    const contents = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(100_000, 'x'), randomBytes(2_000_000)]
    for (const raw of contents) writer.append('chunk', digestOf(raw), raw)
    writer.append('node', digestOf(Buffer.from('node')), Buffer.from('node'))
    writer.append('recipe', digestOf(contents[2]!), Buffer.alloc(40, 1))
    writer.seal()
    const [pack] = sealed
    expect(sealed).toHaveLength(1)
    const entries = readAll(root, pack!.name)
    expect(entries.map(({ kind }) => kind)).toEqual([...Array(4).fill('chunk'), 'node', 'recipe'])
    expect(entries.slice(0, 4).map(({ raw }) => hexOf(digestOf(raw)))).toEqual(
      contents.map((raw) => hexOf(digestOf(raw))),
    )
    expect(entries[2]!.codec).toBe('zstd')
    const packs = new PackReader(root)
    expect(packs.classOf(pack!.name)).toBe('metadata')
    packs.close()
  })

  test('tells of a pack what its file says', () => {
    const { root, sealed, writer } = makeWriter()
    for (let i = 0; i < 100; i++) writer.append('chunk', digestOf(Buffer.from([i])), Buffer.from([i]))
    writer.seal()
    const [pack] = sealed
    const { size, mode } = statSync(packPath(root, pack!.name))
    const packs = new PackReader(root)
    const { entries, footer, sizeBytes } = packs.readTable(pack!.name)
    packs.close()
    expect(pack).toMatchObject({ class: 'data', sizeBytes: size, tailBytes: size - footer.tableOffset })
    expect([sizeBytes, mode & 0o222]).toEqual([size, 0])
    expect(pack!.rows).toHaveLength(100 * ROW_BYTES)
    for (const [i, { kind, codec, offset, storedBytes, rawBytes, digest }] of entries.entries()) {
      const row = readRow(Buffer.from(pack!.rows), i * ROW_BYTES, 'row')
      expect(row).toEqual({ kind, codec, offset, storedBytes, rawBytes, packIndex: 0 })
      expect(hexOf(pack!.rows.subarray(i * ROW_BYTES, i * ROW_BYTES + 32))).toBe(hexOf(digest))
    }
  })

  test('shows nothing before a pack is sealed, and nothing is left once it is', () => {
    const { root, sealed, writer } = makeWriter()
    writer.append('chunk', digestOf(Buffer.from('a')), Buffer.from('a'))
    expect([packsIn(root), temporariesIn(root).length]).toEqual([[], 1])
    writer.seal()
    expect(packsIn(root)).toEqual([`${sealed[0]!.name.slice(0, 2)}/${sealed[0]!.name}.pack`])
    expect(temporariesIn(root)).toEqual([])
  })

  test('leaves nothing of what is discarded, and can begin again', () => {
    const { root, sealed, writer } = makeWriter()
    writer.append('chunk', digestOf(Buffer.from('a')), Buffer.from('a'))
    writer.discard()
    expect([packsIn(root), temporariesIn(root), sealed]).toEqual([[], [], []])
    writer.append('chunk', digestOf(Buffer.from('b')), Buffer.from('b'))
    writer.seal()
    expect(readAll(root, sealed[0]!.name).map(({ raw }) => raw.toString())).toEqual(['b'])
  })

  test('makes no pack of nothing', () => {
    const { root, sealed, writer } = makeWriter()
    writer.seal()
    writer.discard()
    expect([packsIn(root), temporariesIn(root), sealed]).toEqual([[], [], []])
  })

  test('ends a pack at the target size and begins the next', () => {
    const { root, sealed, writer } = makeWriter('metadata')
    const size = 1 << 20
    const contents = Array.from({ length: 20 }, () => randomBytes(size))
    for (const raw of contents) writer.append('chunk', digestOf(raw), raw)
    writer.seal()
    expect(sealed.map(({ rows }) => rows.length / ROW_BYTES)).toEqual([8, 8, 4])
    for (const pack of sealed.slice(0, 2)) {
      expect(pack.sizeBytes).toBeGreaterThanOrEqual(TARGET_PACK_BYTES.metadata)
      expect(pack.sizeBytes).toBeLessThan(TARGET_PACK_BYTES.metadata + size)
    }
    const written = sealed.flatMap(({ name }) => readAll(root, name)).map(({ digest }) => hexOf(digest))
    expect(written).toEqual(contents.map((raw) => hexOf(digestOf(raw))))
  })

  test('counts the table, so that entries without bytes end a pack too', () => {
    const { sealed, writer } = makeWriter('metadata')
    const entry = { kind: 'chunk' as const, codec: 'raw' as const, rawBytes: 1, checksum: 0n }
    const digest = Buffer.alloc(32)
    for (let i = 0; i < 150_000; i++) writer.appendStored({ ...entry, digest }, digest.subarray(0, 1))
    expect(sealed).toHaveLength(1)
    for (const { sizeBytes, tailBytes } of sealed) {
      expect(tailBytes).toBeLessThan(MAX_TABLE_BYTES)
      expect(sizeBytes).toBeLessThan(TARGET_PACK_BYTES.metadata + 1000)
    }
    writer.discard()
  })

  test('gives two packs of the same entries two names', () => {
    const { root, sealed, writer } = makeWriter()
    for (let i = 0; i < 2; i++) {
      writer.append('chunk', digestOf(Buffer.from('a')), Buffer.from('a'))
      writer.seal()
    }
    expect(new Set(sealed.map(({ name }) => name)).size).toBe(2)
    expect(packsIn(root)).toHaveLength(2)
  })

  test('copies what it is given before the next append', () => {
    const { root, sealed, writer } = makeWriter()
    const raw = Buffer.from('first bytes')
    const digest = digestOf(raw)
    writer.append('chunk', digest, raw)
    raw.fill(0)
    writer.seal()
    expect(readAll(root, sealed[0]!.name)[0]!.raw.toString()).toBe('first bytes')
    expect(readFileSync(packPath(root, sealed[0]!.name)).length).toBe(sealed[0]!.sizeBytes)
  })
})
