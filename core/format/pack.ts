import { checksumOf } from '../checksum.ts'
import { DIGEST_BYTES, type Digest, digestOf, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { MAX_NODE_BYTES, RECIPE_ROOT_BYTES } from './recipe.ts'

/** The BLAKE3 of a pack's table, 64 hex digits. */
export type PackName = string & { readonly [packNameBrand]: true }
declare const packNameBrand: unique symbol

/** Data packs hold the chunks of files; metadata packs hold trees, recipe nodes and recipes. */
export type PackClass = 'data' | 'metadata'

/** What an entry's digest names: a piece of a blob, a recipe node, or (for a recipe) the blob itself. */
export const ENTRY_KINDS = ['chunk', 'node', 'recipe'] as const
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** Numbers from 2 on are left for grouped codecs. */
export const CODECS = ['raw', 'zstd'] as const
export type Codec = (typeof CODECS)[number]

export type PackEntry = {
  kind: EntryKind
  codec: Codec
  digest: Digest
  /** Of the stored bytes, from the start of the pack. */
  offset: number
  storedBytes: number
  rawBytes: number
  /** XXH64 of the stored bytes. */
  checksum: bigint
}

export type PackFooter = { tableOffset: number; tableBytes: number; tableChecksum: bigint }

const MAGIC = Buffer.from('varvpack', 'latin1')
const END_MAGIC = Buffer.from('varvpend', 'latin1')
const PACK_VERSION = 1
export const PACK_HEADER_BYTES = 16
export const PACK_FOOTER_BYTES = 32
export const PACK_SALT_BYTES = 16
export const TABLE_ENTRY_BYTES = 1 + 1 + DIGEST_BYTES + 8 + 4 + 4 + 8

/** Where a writer stops filling a pack; the table counts, or millions of tiny files would make one too large to read. */
export const TARGET_PACK_BYTES: Record<PackClass, number> = { data: 64 << 20, metadata: 8 << 20 }
/** No entry's bytes, raw or stored, may claim more. Chunks of `rot256-v1` end at 256 KiB. */
export const MAX_ENTRY_BYTES = 4 << 20
/** A reader refuses packs and tables that claim more: nothing honest comes near. */
export const MAX_PACK_BYTES = 1 << 30
export const MAX_TABLE_BYTES = 256 << 20

export function encodePackHeader(packClass: PackClass): Buffer {
  return new ByteWriter(PACK_HEADER_BYTES)
    .bytes(MAGIC)
    .u32(PACK_VERSION)
    .u8(packClass === 'data' ? 0 : 1)
    .zeros(3)
    .finish()
}

/** @throws MALFORMED, TOO_NEW */
export function decodePackHeader(bytes: Uint8Array, where: string): PackClass {
  const reader = new ByteReader(bytes, where)
  if (!reader.bytes(8).equals(MAGIC)) reader.fail('not a pack')
  const version = reader.u32()
  if (version !== PACK_VERSION) {
    throw new VarveError('TOO_NEW', `${where}: version ${version} of the pack format`, {
      hint: 'Upgrade varve to read this store or remote.',
    })
  }
  const packClass = reader.u8()
  if (packClass > 1 || reader.bytes(3).some((byte) => byte !== 0)) reader.fail('a broken header')
  reader.expectEnd()
  return packClass === 0 ? 'data' : 'metadata'
}

/** `salt` makes the name of two packs differ even where they hold the same entries. */
export function encodePackTable(salt: Uint8Array, entries: readonly PackEntry[]): Buffer {
  const writer = new ByteWriter(PACK_SALT_BYTES + entries.length * TABLE_ENTRY_BYTES)
  writer.bytes(salt)
  for (const entry of entries) writeTableEntry(writer, entry)
  return writer.finish()
}

/** Appends one entry to a table that began with its salt. */
export function writeTableEntry(writer: ByteWriter, entry: PackEntry): void {
  writer
    .u8(ENTRY_KINDS.indexOf(entry.kind))
    .u8(CODECS.indexOf(entry.codec))
    .bytes(entry.digest)
    .u64(entry.offset)
    .u32(entry.storedBytes)
    .u32(entry.rawBytes)
    .bigU64(entry.checksum)
}

export function packNameOf(table: Uint8Array): PackName {
  return hexOf(digestOf(table)) as PackName
}

export function isPackName(text: string): text is PackName {
  return /^[0-9a-f]{64}$/.test(text)
}

/**
 * The entries of a pack that is `packBytes` long, in the order of their offsets. Digests are views.
 * @throws MALFORMED when an entry lies outside the payloads, overlaps another or claims too much.
 */
export function decodePackTable(table: Uint8Array, footer: PackFooter, where: string): PackEntry[] {
  const reader = new ByteReader(table, where)
  reader.bytes(PACK_SALT_BYTES)
  if (reader.remaining % TABLE_ENTRY_BYTES !== 0) reader.fail('a table cut short')
  const entries: PackEntry[] = []
  let end = PACK_HEADER_BYTES
  while (reader.remaining > 0) {
    const entry = readTableEntry(reader, where)
    if (entry.offset !== end) reader.fail('entries that overlap or leave a gap')
    checkEntrySizes(entry, (why) => reader.fail(why))
    end += entry.storedBytes
    entries.push(entry)
  }
  if (end !== footer.tableOffset) reader.fail('entries that do not fill the pack')
  return entries
}

function readTableEntry(reader: ByteReader, where: string): PackEntry {
  const kind = ENTRY_KINDS[reader.u8()] ?? reader.fail('an entry of unknown kind')
  const codecNumber = reader.u8()
  const codec = CODECS[codecNumber]
  if (codec === undefined) {
    throw new VarveError('TOO_NEW', `${where}: codec ${codecNumber}`, {
      hint: 'Upgrade varve to read this store or remote.',
    })
  }
  const digest = reader.bytes(DIGEST_BYTES)
  const offset = reader.u64()
  const [storedBytes, rawBytes] = [reader.u32(), reader.u32()]
  return { kind, codec, digest, offset, storedBytes, rawBytes, checksum: reader.bigU64() }
}

/** The entry, not an empty one, that begins at `offset`, of a table in order, as `decodePackTable` sees to. */
export function findTableEntry(table: Uint8Array, offset: number, where: string): PackEntry | undefined {
  const entryAt = (index: number) => {
    const start = PACK_SALT_BYTES + index * TABLE_ENTRY_BYTES
    return readTableEntry(new ByteReader(table.subarray(start, start + TABLE_ENTRY_BYTES), where), where)
  }
  const count = Math.floor((table.length - PACK_SALT_BYTES) / TABLE_ENTRY_BYTES)
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    const { offset: start, storedBytes } = entryAt(middle)
    if (start + storedBytes <= offset) low = middle + 1
    else high = middle
  }
  const found = low < count ? entryAt(low) : undefined
  return found?.offset === offset ? found : undefined
}

/** Refuses sizes that no writer produces, before anything is allocated by them. */
export function checkEntrySizes(
  entry: { kind: EntryKind; codec: Codec; storedBytes: number; rawBytes: number },
  fail: (why: string) => never,
): void {
  const { kind, codec, storedBytes, rawBytes } = entry
  const most = kind === 'chunk' ? MAX_ENTRY_BYTES : kind === 'node' ? MAX_NODE_BYTES : RECIPE_ROOT_BYTES
  if (rawBytes > most || storedBytes > MAX_ENTRY_BYTES) fail(`an entry of ${rawBytes} bytes`)
  if (codec === 'raw' && storedBytes !== rawBytes) fail('a raw entry of two lengths')
}

export function encodePackFooter(footer: PackFooter): Buffer {
  return new ByteWriter(PACK_FOOTER_BYTES)
    .u64(footer.tableOffset)
    .u64(footer.tableBytes)
    .bigU64(footer.tableChecksum)
    .bytes(END_MAGIC)
    .finish()
}

/** @throws MALFORMED when the footer does not fit a pack of `packBytes`. */
export function decodePackFooter(bytes: Uint8Array, packBytes: number, where: string): PackFooter {
  const reader = new ByteReader(bytes, where)
  const footer = {
    tableOffset: reader.u64(),
    tableBytes: reader.u64(),
    tableChecksum: reader.bigU64(),
  }
  if (!reader.bytes(8).equals(END_MAGIC)) reader.fail('cut short, or not a pack')
  reader.expectEnd()
  if (packBytes > MAX_PACK_BYTES || footer.tableBytes > MAX_TABLE_BYTES) reader.fail('too large')
  const fits = footer.tableOffset + footer.tableBytes + PACK_FOOTER_BYTES === packBytes
  if (!fits || footer.tableOffset < PACK_HEADER_BYTES) reader.fail('a footer that does not fit the pack')
  return footer
}

/**
 * Checks a table against its footer and the pack's name, then decodes it.
 * @throws CORRUPT, MALFORMED
 */
export function verifyPackTable(table: Uint8Array, footer: PackFooter, name: PackName): PackEntry[] {
  checkPackTable(table, footer, name)
  return decodePackTable(table, footer, `pack ${name}`)
}

/** @throws CORRUPT where these are not the bytes that the pack was written with */
export function checkPackTable(table: Uint8Array, footer: PackFooter, name: PackName): void {
  if (checksumOf(table) === footer.tableChecksum && packNameOf(table) === name) return
  throw new VarveError('CORRUPT', `pack ${name}: its table is damaged`, {
    hint: 'Run `varve verify` to see what is affected.',
  })
}

export function countTableEntries(footer: PackFooter): number {
  return (footer.tableBytes - PACK_SALT_BYTES) / TABLE_ENTRY_BYTES
}
