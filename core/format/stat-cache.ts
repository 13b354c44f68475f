import { checksumOf } from '../checksum.ts'
import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import { ByteWriter } from './byte-writer.ts'
import { StatTable, StatTableBuilder } from './stat-table.ts'

/** The five numbers of `lstat` that an entry holds; core/workspace/file-stamp.ts says why these. */
export type EntryStamp = {
  sizeBytes: number
  mtimeMs: number
  ctimeMs: number
  inode: number
  mode: number
}

/** The entries of one directory, as a table of `ENTRY_BYTES` records. `directory` is relative to the repository. */
export type DirectoryBlock = { directory: string; block: Buffer }

/** Where in a base a block lies, and its XXH64. */
export type BlockPlace = { offset: number; sizeBytes: number; checksum: bigint }

/** The end of a base. `generation` is random, so that a journal can name the base that it continues. */
export type BaseFooter = {
  generation: bigint
  tableOffset: number
  tableBytes: number
  tableChecksum: bigint
}

const VERSION = 1
const BASE_MAGIC = Buffer.from('varvstat', 'latin1')
const FOOTER_MAGIC = Buffer.from('tatsvrav', 'latin1')
const FRAME_MAGIC = 0x6a73_7676

export const ENTRY_BYTES = 4 * 8 + 4 + DIGEST_BYTES
export const PLACE_BYTES = 8 + 4 + 8
export const BASE_HEADER_BYTES = BASE_MAGIC.length + 4
export const BASE_FOOTER_BYTES = 8 + 8 + 4 + 8 + 4 + 8 + FOOTER_MAGIC.length
const FRAME_HEADER_BYTES = 4 + 8 + 4 + 4 + 8
const FRAME_PLACE_BYTES = 4 + 4

/** The record of an entry that a journal takes back. The mode of a real file is never 0. */
export const FORGOTTEN = Buffer.alloc(ENTRY_BYTES)

export function writeEntry(writer: ByteWriter, stamp: EntryStamp, digest: Digest): void {
  writer
    .f64(stamp.sizeBytes)
    .f64(stamp.mtimeMs)
    .f64(stamp.ctimeMs)
    .f64(stamp.inode)
    .u32(stamp.mode)
    .bytes(digest)
}

/** The digest of the entry if its stamp is equal in every field, as a view. */
export function digestIfSame(table: StatTable, index: number, stamp: EntryStamp): Digest | undefined {
  const { view } = table
  const at = table.recordOffset(index)
  const isSame =
    view.getFloat64(at, true) === stamp.sizeBytes &&
    view.getFloat64(at + 8, true) === stamp.mtimeMs &&
    view.getFloat64(at + 16, true) === stamp.ctimeMs &&
    view.getFloat64(at + 24, true) === stamp.inode &&
    view.getUint32(at + 32, true) === stamp.mode &&
    stamp.mode !== 0
  return isSame ? new Uint8Array(view.buffer, view.byteOffset + at + 36, DIGEST_BYTES) : undefined
}

export function isForgotten(table: StatTable, index: number): boolean {
  return table.view.getUint32(table.recordOffset(index) + 32, true) === 0
}

export function encodePlace({ offset, sizeBytes, checksum }: BlockPlace): Buffer {
  return new ByteWriter(PLACE_BYTES).u64(offset).u32(sizeBytes).bigU64(checksum).view()
}

export function placeAt(table: StatTable, index: number): BlockPlace {
  const at = table.recordOffset(index)
  return {
    offset: Number(table.view.getBigUint64(at, true)),
    sizeBytes: table.view.getUint32(at + 8, true),
    checksum: table.view.getBigUint64(at + 12, true),
  }
}

export function encodeBaseHeader(): Buffer {
  return new ByteWriter(BASE_HEADER_BYTES).bytes(BASE_MAGIC).u32(VERSION).view()
}

export function isBaseHeader(bytes: Buffer): boolean {
  return bytes.equals(encodeBaseHeader())
}

export function encodeBaseFooter(footer: BaseFooter): Buffer {
  const writer = new ByteWriter(BASE_FOOTER_BYTES)
    .bigU64(footer.generation)
    .u64(footer.tableOffset)
    .u32(footer.tableBytes)
    .bigU64(footer.tableChecksum)
    .u32(VERSION)
  return writer.bigU64(checksumOf(writer.view())).bytes(FOOTER_MAGIC).view()
}

/** Undefined for anything but a whole footer of this version: the cache is then built anew. */
export function decodeBaseFooter(bytes: Buffer): BaseFooter | undefined {
  if (bytes.length !== BASE_FOOTER_BYTES) return undefined
  if (!bytes.subarray(40).equals(FOOTER_MAGIC)) return undefined
  if (bytes.readBigUInt64LE(32) !== checksumOf(bytes.subarray(0, 32))) return undefined
  if (bytes.readUInt32LE(28) !== VERSION) return undefined
  return {
    generation: bytes.readBigUInt64LE(0),
    tableOffset: Number(bytes.readBigUInt64LE(8)),
    tableBytes: bytes.readUInt32LE(16),
    tableChecksum: bytes.readBigUInt64LE(20),
  }
}

/** One addition to the journal of the base `generation`. The directories must come sorted, as in any table. */
export function encodeFrame(generation: bigint, directories: readonly DirectoryBlock[]): Buffer {
  const table = new StatTableBuilder()
  let blockBytes = 0
  for (const { directory, block } of directories) {
    table.add(
      Buffer.from(directory),
      new ByteWriter(FRAME_PLACE_BYTES).u32(blockBytes).u32(block.length).view(),
    )
    blockBytes += block.length
  }
  const tableBytes = table.finish()
  const writer = new ByteWriter(FRAME_HEADER_BYTES + tableBytes.length + blockBytes)
    .u32(FRAME_MAGIC)
    .zeros(8)
    .u32(tableBytes.length + blockBytes)
    .u32(tableBytes.length)
    .bigU64(generation)
    .bytes(tableBytes)
  for (const { block } of directories) writer.bytes(block)
  const frame = writer.view()
  frame.writeBigUInt64LE(checksumOf(frame.subarray(12)), 4)
  return frame
}

/**
 * The blocks of the frame at `offset`, as views, and where the next frame starts. Undefined where no whole frame of
 * `generation` lies: what follows in that journal counts as unknown.
 */
export function decodeFrame(
  journal: Buffer,
  offset: number,
  generation: bigint,
): { directories: DirectoryBlock[]; end: number } | undefined {
  const bodyAt = offset + FRAME_HEADER_BYTES
  if (bodyAt > journal.length || journal.readUInt32LE(offset) !== FRAME_MAGIC) return undefined
  const end = bodyAt + journal.readUInt32LE(offset + 12)
  const blocksAt = bodyAt + journal.readUInt32LE(offset + 16)
  if (end > journal.length || blocksAt > end) return undefined
  if (journal.readBigUInt64LE(offset + 20) !== generation) return undefined
  if (journal.readBigUInt64LE(offset + 4) !== checksumOf(journal.subarray(offset + 12, end))) return undefined

  const table = StatTable.open(journal.subarray(bodyAt, blocksAt), FRAME_PLACE_BYTES)
  if (table === undefined) return undefined
  const directories: DirectoryBlock[] = []
  for (let i = 0; i < table.count; i++) {
    const start = blocksAt + table.view.getUint32(table.recordOffset(i), true)
    const blockEnd = start + table.view.getUint32(table.recordOffset(i) + 4, true)
    if (blockEnd > end) return undefined
    directories.push({ directory: table.name(i), block: journal.subarray(start, blockEnd) })
  }
  return { directories, end }
}
