import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { checksumOf } from '../checksum.ts'
import { ContentHasher, type Digest } from '../content-id.ts'
import { fromSystemError } from '../errors.ts'
import { ByteWriter } from '../format/byte-writer.ts'
import {
  type EntryKind,
  encodePackFooter,
  encodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_SALT_BYTES,
  type PackClass,
  type PackEntry,
  type PackName,
  packNameOf,
  TARGET_PACK_BYTES,
  writeTableEntry,
} from '../format/pack.ts'
import { publishFile } from './durable.ts'
import { EntryEncoder } from './entry-codec.ts'
import { rowsOfTable } from './row-buffer.ts'
import { startWriteback, WRITEBACK_BYTES } from './start-writeback.ts'
import { packPath, temporaryFolder } from './store-layout.ts'
import { temporaryPath } from './temporary-files.ts'

export type SealedPack = {
  name: PackName
  class: PackClass
  sizeBytes: number
  /** Table and footer. */
  tailBytes: number
  /** What an index segment is to say of its entries: see `RowBuffer`. */
  rows: Uint8Array
  /** The content id of its file, of a metadata pack. */
  content?: Digest
}

const WRITE_BUFFER_BYTES = 1 << 20

/**
 * Writes entries into packs of the target size, one after the other. A pack is handed to `onSealed` once it is
 * durable under its name; nothing else of it is ever seen.
 */
export class PackWriter {
  readonly #root: string
  readonly #class: PackClass
  readonly #onSealed: (pack: SealedPack) => void
  readonly #buffer = Buffer.allocUnsafe(WRITE_BUFFER_BYTES)
  readonly #encoder = new EntryEncoder()
  #buffered = 0
  #sinceWriteback = 0
  #fd: number | undefined
  #path = ''
  #offset = 0
  #hasher: ContentHasher | undefined
  /** The table so far: 58 bytes an entry, where objects would take 300. */
  readonly #table = new ByteWriter(1 << 16)

  constructor(options: { root: string; class: PackClass; onSealed: (pack: SealedPack) => void }) {
    this.#root = options.root
    this.#class = options.class
    this.#onSealed = options.onSealed
  }

  /** Compresses where it pays, and appends. @throws NO_SPACE, NO_PERMISSION, IO */
  append(kind: EntryKind, digest: Digest, raw: Uint8Array): void {
    const { codec, stored } = this.#encoder.encode(raw)
    const entry = { kind, codec, digest, rawBytes: raw.length, checksum: checksumOf(stored) }
    this.appendStored(entry, stored)
  }

  /** Appends bytes that are encoded and checksummed already. @throws as `append` does */
  appendStored(entry: Omit<PackEntry, 'offset' | 'storedBytes'>, stored: Uint8Array): void {
    this.#naming(() => {
      if (this.#fd === undefined) this.#begin()
      writeTableEntry(this.#table, { ...entry, offset: this.#offset, storedBytes: stored.length })
      this.#write(stored)
    })
    if (this.#offset + this.#table.length >= TARGET_PACK_BYTES[this.#class]) this.seal()
  }

  /** Ends the pack that is open, if any, and makes it durable. @throws as `append` does */
  seal(): void {
    if (this.#fd === undefined) return
    this.#onSealed(this.#naming(() => this.#finish(this.#fd!)))
  }

  #finish(fd: number): SealedPack {
    const table = this.#table.finish()
    const footer = { tableOffset: this.#offset, tableBytes: table.length, tableChecksum: checksumOf(table) }
    this.#write(table)
    this.#write(encodePackFooter(footer))
    this.#flush()
    fsyncSync(fd)
    closeSync(fd)
    this.#fd = undefined
    const name = packNameOf(table)
    publishFile(this.#path, packPath(this.#root, name))
    return {
      name,
      class: this.#class,
      sizeBytes: this.#offset,
      tailBytes: table.length + PACK_FOOTER_BYTES,
      rows: rowsOfTable(table),
      ...(this.#hasher && { content: this.#hasher.digest() }),
    }
  }

  /** The system's error on a descriptor says nothing of where. */
  #naming<T>(write: () => T): T {
    try {
      return write()
    } catch (error) {
      throw fromSystemError(error, `writing a pack into ${this.#root}`)
    }
  }

  /** Throws away the pack that is open. */
  discard(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    unlinkSync(this.#path)
  }

  #begin(): void {
    this.#path = temporaryPath(temporaryFolder(this.#root))
    this.#fd = openSync(this.#path, 'wx', 0o444)
    this.#offset = 0
    this.#buffered = 0
    this.#sinceWriteback = 0
    this.#hasher = this.#class === 'metadata' ? new ContentHasher() : undefined
    this.#table.reset()
    this.#table.bytes(randomBytes(PACK_SALT_BYTES))
    this.#write(encodePackHeader(this.#class))
  }

  #write(bytes: Uint8Array): void {
    this.#offset += bytes.length
    this.#hasher?.update(bytes)
    this.#sinceWriteback += bytes.length
    if (this.#buffered + bytes.length > this.#buffer.length) this.#flush()
    if (this.#sinceWriteback >= WRITEBACK_BYTES) {
      this.#sinceWriteback = 0
      startWriteback(this.#path)
    }
    if (bytes.length >= this.#buffer.length) {
      writeWhole(this.#fd!, bytes)
    } else {
      this.#buffer.set(bytes, this.#buffered)
      this.#buffered += bytes.length
    }
  }

  #flush(): void {
    writeWhole(this.#fd!, this.#buffer.subarray(0, this.#buffered))
    this.#buffered = 0
  }
}

/** `writeSync` may write less than it was given. */
export function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
}
