import { randomBytes } from 'node:crypto'
import {
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  PACK_SALT_BYTES,
  type PackClass,
  type PackEntry,
  type PackName,
  TABLE_ENTRY_BYTES,
  TARGET_PACK_BYTES,
} from '../../format/pack.ts'
import { ROW_BYTES } from '../../format/segment.ts'
import type { SealedPack } from '../../store/pack-writer.ts'

/**
 * Does as `PackWriter` does, without a byte written: the packs have the sizes that real ones would have, names that no
 * real one has, and rows that say nothing.
 */
export class PackSizer {
  readonly #class: PackClass
  readonly #onSealed: (pack: SealedPack) => void
  #entries = 0
  #storedBytes = 0

  constructor(options: { class: PackClass; onSealed: (pack: SealedPack) => void }) {
    this.#class = options.class
    this.#onSealed = options.onSealed
  }

  take(entry: Pick<PackEntry, 'storedBytes'>): void {
    this.#entries++
    this.#storedBytes += entry.storedBytes
    const filled = PACK_HEADER_BYTES + this.#storedBytes + this.#tableBytes
    if (filled >= TARGET_PACK_BYTES[this.#class]) this.seal()
  }

  seal(): void {
    if (this.#entries === 0) return
    const tailBytes = this.#tableBytes + PACK_FOOTER_BYTES
    const pack = {
      name: randomBytes(32).toString('hex') as PackName,
      class: this.#class,
      sizeBytes: PACK_HEADER_BYTES + this.#storedBytes + tailBytes,
      tailBytes,
      rows: Buffer.alloc(this.#entries * ROW_BYTES),
    }
    this.#entries = 0
    this.#storedBytes = 0
    this.#onSealed(pack)
  }

  get #tableBytes(): number {
    return PACK_SALT_BYTES + this.#entries * TABLE_ENTRY_BYTES
  }
}
