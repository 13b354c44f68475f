import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { checksumOf } from '../checksum.ts'
import type { Digest } from '../content-id.ts'
import {
  type EntryKind,
  encodePackFooter,
  encodePackHeader,
  encodePackTable,
  PACK_FOOTER_BYTES,
  PACK_SALT_BYTES,
  type PackClass,
  type PackEntry,
  type PackName,
  packNameOf,
  TABLE_ENTRY_BYTES,
  TARGET_PACK_BYTES,
} from '../format/pack.ts'
import { publishFile } from './durable.ts'
import { encodeEntry } from './entry-codec.ts'
import { rowsOf } from './row-buffer.ts'
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
  #buffered = 0
  #fd: number | undefined
  #path = ''
  #offset = 0
  #entries: PackEntry[] = []

  constructor(options: { root: string; class: PackClass; onSealed: (pack: SealedPack) => void }) {
    this.#root = options.root
    this.#class = options.class
    this.#onSealed = options.onSealed
  }

  /** Compresses where it pays, and appends. `digest` is kept: it must not change afterwards. */
  append(kind: EntryKind, digest: Digest, raw: Uint8Array): void {
    const { codec, stored } = encodeEntry(raw)
    const entry = { kind, codec, digest, rawBytes: raw.length, checksum: checksumOf(stored) }
    this.appendStored(entry, stored)
  }

  /** Appends bytes that are encoded and checksummed already. */
  appendStored(entry: Omit<PackEntry, 'offset' | 'storedBytes'>, stored: Uint8Array): void {
    if (this.#fd === undefined) this.#begin()
    const { kind, codec, digest, rawBytes, checksum } = entry
    this.#entries.push({
      kind,
      codec,
      digest,
      offset: this.#offset,
      storedBytes: stored.length,
      rawBytes,
      checksum,
    })
    this.#write(stored)
    const sizeBytes = this.#offset + this.#entries.length * TABLE_ENTRY_BYTES
    if (sizeBytes >= TARGET_PACK_BYTES[this.#class]) this.seal()
  }

  /** Ends the pack that is open, if any, and makes it durable. */
  seal(): void {
    if (this.#fd === undefined) return
    const table = encodePackTable(randomBytes(PACK_SALT_BYTES), this.#entries)
    const footer = { tableOffset: this.#offset, tableBytes: table.length, tableChecksum: checksumOf(table) }
    this.#write(table)
    this.#write(encodePackFooter(footer))
    this.#flush()
    fsyncSync(this.#fd)
    closeSync(this.#fd)
    this.#fd = undefined
    const name = packNameOf(table)
    publishFile(this.#path, packPath(this.#root, name))
    const rows = rowsOf(this.#entries)
    this.#entries = []
    this.#onSealed({
      name,
      class: this.#class,
      sizeBytes: this.#offset,
      tailBytes: table.length + PACK_FOOTER_BYTES,
      rows,
    })
  }

  /** Throws away the pack that is open. */
  discard(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    unlinkSync(this.#path)
    this.#entries = []
  }

  #begin(): void {
    this.#path = temporaryPath(temporaryFolder(this.#root))
    this.#fd = openSync(this.#path, 'wx', 0o444)
    this.#offset = 0
    this.#buffered = 0
    this.#write(encodePackHeader(this.#class))
  }

  #write(bytes: Uint8Array): void {
    this.#offset += bytes.length
    if (this.#buffered + bytes.length > this.#buffer.length) this.#flush()
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
