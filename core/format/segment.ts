import { checksumOf } from '../checksum.ts'
import { DIGEST_BYTES, type Digest, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { CODECS, type Codec, checkEntrySizes, ENTRY_KINDS, type EntryKind, type PackName } from './pack.ts'

/** The BLAKE3 of a segment's bytes, 64 hex digits. */
export type SegmentName = string & { readonly [segmentNameBrand]: true }
declare const segmentNameBrand: unique symbol

/** A row without its digest: what the digest's bytes are stored as, and where. */
export type SegmentRow = {
  kind: EntryKind
  codec: Codec
  packIndex: number
  offset: number
  storedBytes: number
  rawBytes: number
}

/** The last page of a segment: how many of what there are. Sections follow each other in this order. */
export type SegmentTrailer = {
  rowCount: number
  /** The fan-out has 2^fanoutBits counters. */
  fanoutBits: number
  packCount: number
  supersededCount: number
  tombstoneCount: number
}

/** A segment is a row of pages, each checksummed by its last eight bytes, so that any part can be read alone. */
export const PAGE_BYTES = 4096
export const PAGE_PAYLOAD_BYTES = PAGE_BYTES - 8

export const ROW_BYTES = DIGEST_BYTES + 1 + 1 + 4 + 4 + 4 + 4
/** Where in a row its pack index stands. */
export const ROW_PACK_INDEX_AT = DIGEST_BYTES + 2
export const ROWS_PER_PAGE = Math.floor(PAGE_PAYLOAD_BYTES / ROW_BYTES)
export const COUNTERS_PER_PAGE = PAGE_PAYLOAD_BYTES / 4
export const NAMES_PER_PAGE = Math.floor(PAGE_PAYLOAD_BYTES / DIGEST_BYTES)

const MAGIC = Buffer.from('varvsegm', 'latin1')
const SEGMENT_VERSION = 1
const MAX_FANOUT_BITS = 26
/** Row counters have 32 bits. */
export const MAX_ROWS = 0xffff_ffff

/** The section offsets, in pages, that a trailer implies. */
export type SegmentLayout = {
  rows: number
  fanout: number
  packs: number
  superseded: number
  tombstones: number
  trailer: number
}

export function layoutOf(trailer: SegmentTrailer): SegmentLayout {
  const fanout = Math.ceil(trailer.rowCount / ROWS_PER_PAGE)
  const packs = fanout + Math.ceil(2 ** trailer.fanoutBits / COUNTERS_PER_PAGE)
  const superseded = packs + Math.ceil(trailer.packCount / NAMES_PER_PAGE)
  const tombstones = superseded + Math.ceil(trailer.supersededCount / NAMES_PER_PAGE)
  const end = tombstones + Math.ceil(trailer.tombstoneCount / NAMES_PER_PAGE)
  return { rows: 0, fanout, packs, superseded, tombstones, trailer: end }
}

/** About one bucket of the fan-out a page of rows. */
export function fanoutBitsFor(rowCount: number): number {
  const pages = Math.max(1, rowCount / ROWS_PER_PAGE)
  return Math.min(MAX_FANOUT_BITS, Math.ceil(Math.log2(pages)))
}

/** The fan-out bucket of the digest at `at`: its first bits, most significant first. */
export function bucketOf(bytes: Uint8Array, fanoutBits: number, at = 0): number {
  return fanoutBits === 0 ? 0 : leadingBits(bytes, at) >>> (32 - fanoutBits)
}

/** The first 32 bits of the digest at `at`, as an unsigned number: in the order of the digests. */
export function leadingBits(bytes: Uint8Array, at = 0): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** Whether the digest at `at` is one of the 1 in 1,024 that a sample holds: not by its first bits, which rows are sorted by. */
export function isSampled(bytes: Uint8Array, at = 0): boolean {
  return (((bytes[at + DIGEST_BYTES - 2]! << 8) | bytes[at + DIGEST_BYTES - 1]!) & 0x3ff) === 0
}

/** Less than, equal to or greater than 0 as one row comes before the other, is the same, or comes after it. */
export function compareRows(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < ROW_BYTES; i++) {
    const difference = a[aAt + i]! - b[bAt + i]!
    if (difference !== 0) return difference
  }
  return 0
}

/** Less than, equal to or greater than 0 as the digest and kind come before, at or after those of the row at `at`. */
export function compareToRow(digest: Digest, kindNumber: number, page: Uint8Array, at: number): number {
  for (let i = 0; i < DIGEST_BYTES; i++) {
    const difference = digest[i]! - page[at + i]!
    if (difference !== 0) return difference
  }
  return kindNumber - page[at + DIGEST_BYTES]!
}

/** Closes a page whose payload is written: the checksum goes into its last eight bytes. */
export function sealPage(page: Buffer): void {
  page.writeBigUInt64LE(checksumOf(page.subarray(0, PAGE_PAYLOAD_BYTES)), PAGE_PAYLOAD_BYTES)
}

/** @throws CORRUPT */
export function verifyPage(page: Buffer, where: string): void {
  const stated = page.readBigUInt64LE(PAGE_PAYLOAD_BYTES)
  if (checksumOf(page.subarray(0, PAGE_PAYLOAD_BYTES)) !== stated) {
    throw new VarveError('CORRUPT', `${where}: a damaged page`, {
      hint: 'Run `varve verify --rebuild-index` to make the index anew from the packs.',
    })
  }
}

export function encodeTrailer(trailer: SegmentTrailer): Buffer {
  const page = new ByteWriter(PAGE_BYTES)
    .bytes(MAGIC)
    .u32(SEGMENT_VERSION)
    .u32(trailer.fanoutBits)
    .u64(trailer.rowCount)
    .u32(trailer.packCount)
    .u32(trailer.supersededCount)
    .u32(trailer.tombstoneCount)
  page.zeros(PAGE_BYTES - page.length)
  const bytes = page.finish()
  sealPage(bytes)
  return bytes
}

/**
 * Reads the last page of a segment of `fileBytes`.
 * @throws CORRUPT, MALFORMED, TOO_NEW
 */
export function decodeTrailer(page: Buffer, fileBytes: number, where: string): SegmentTrailer {
  verifyPage(page, where)
  const reader = new ByteReader(page, where)
  if (!reader.bytes(8).equals(MAGIC)) reader.fail('not an index segment')
  const version = reader.u32()
  if (version !== SEGMENT_VERSION) {
    throw new VarveError('TOO_NEW', `${where}: version ${version} of the index format`, {
      hint: 'Upgrade varve to read this store or remote.',
    })
  }
  const trailer = {
    fanoutBits: reader.u32(),
    rowCount: reader.u64(),
    packCount: reader.u32(),
    supersededCount: reader.u32(),
    tombstoneCount: reader.u32(),
  }
  if (trailer.rowCount > MAX_ROWS || trailer.fanoutBits > MAX_FANOUT_BITS) reader.fail('too many rows')
  if ((layoutOf(trailer).trailer + 1) * PAGE_BYTES !== fileBytes) reader.fail('sections that do not fill it')
  return trailer
}

export function writeRow(target: Buffer, at: number, digest: Digest, row: SegmentRow): void {
  target.set(digest, at)
  target[at + 32] = ENTRY_KINDS.indexOf(row.kind)
  target[at + 33] = CODECS.indexOf(row.codec)
  target.writeUInt32LE(row.packIndex, at + 34)
  target.writeUInt32LE(row.offset, at + 38)
  target.writeUInt32LE(row.storedBytes, at + 42)
  target.writeUInt32LE(row.rawBytes, at + 46)
}

/** A loop, since a row is too short for what `Buffer.copy` costs. */
export function copyRow(source: Uint8Array, at: number, target: Uint8Array, targetAt: number): void {
  for (let i = 0; i < ROW_BYTES; i++) target[targetAt + i] = source[at + i]!
}

/** Writes the row of the entry that stands at `at` in a pack table, its pack index 0: kind, codec, digest, ... */
export function copyEntryToRow(table: Buffer, at: number, target: Buffer, rowAt: number): void {
  table.copy(target, rowAt, at + 2, at + 2 + DIGEST_BYTES)
  target[rowAt + 32] = table[at]!
  target[rowAt + 33] = table[at + 1]!
  target.writeUInt32LE(0, rowAt + 34)
  // The offset has eight bytes there and four here.
  table.copy(target, rowAt + 38, at + 34, at + 38)
  table.copy(target, rowAt + 42, at + 42, at + 50)
}

/** @throws MALFORMED for a row that no writer produces. */
export function readRow(source: Buffer, at: number, where: string): SegmentRow {
  const fail = (why: string): never => {
    throw new VarveError('MALFORMED', `${where}: ${why}`)
  }
  const row = {
    kind: ENTRY_KINDS[source[at + 32]!] ?? fail('a row of unknown kind'),
    codec: CODECS[source[at + 33]!] ?? fail('a row of unknown codec'),
    packIndex: source.readUInt32LE(at + 34),
    offset: source.readUInt32LE(at + 38),
    storedBytes: source.readUInt32LE(at + 42),
    rawBytes: source.readUInt32LE(at + 46),
  }
  checkEntrySizes(row, fail)
  return row
}

/** The names of one page of a list section. */
export function readNames(page: Buffer, count: number): PackName[] {
  const names: PackName[] = []
  for (let i = 0; i < count; i++) {
    names.push(hexOf(page.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)) as PackName)
  }
  return names
}

export function isSegmentName(text: string): text is SegmentName {
  return /^[0-9a-f]{64}$/.test(text)
}
