import { PACK_SALT_BYTES, type PackEntry, type PackName, TABLE_ENTRY_BYTES } from '../format/pack.ts'
import { copyEntryToRow, ROW_BYTES, ROW_PACK_INDEX_AT, writeRow } from '../format/segment.ts'

/** Rows in one flat buffer: 50 bytes each, no object a row. */
export class RowBuffer {
  readonly packs: PackName[] = []
  #rows = Buffer.allocUnsafe(1024 * ROW_BYTES)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** `rows` as `rowsOf` makes them. */
  addPack(name: PackName, rows: Uint8Array): void {
    const packIndex = this.packs.push(name) - 1
    this.#reserve(rows.length / ROW_BYTES)
    this.#rows.set(rows, this.#count * ROW_BYTES)
    const end = this.#count + rows.length / ROW_BYTES
    for (; this.#count < end; this.#count++) {
      this.#rows.writeUInt32LE(packIndex, this.#count * ROW_BYTES + ROW_PACK_INDEX_AT)
    }
  }

  /** The rows in the order of their bytes: by digest, then kind. */
  *sorted(): Generator<Buffer> {
    for (const index of this.#sortedIndices()) {
      yield this.#rows.subarray(index * ROW_BYTES, (index + 1) * ROW_BYTES)
    }
  }

  /** Counting sort on the first sixteen bits of the digest, then a comparison sort within each bucket. */
  #sortedIndices(): Uint32Array {
    const starts = new Uint32Array(0x1_0001)
    const prefixOf = (row: number) => this.#rows.readUInt16BE(row * ROW_BYTES)
    for (let row = 0; row < this.#count; row++) starts[prefixOf(row) + 1]!++
    for (let prefix = 0; prefix < 0x1_0000; prefix++) starts[prefix + 1]! += starts[prefix]!
    const next = starts.slice()
    const indices = new Uint32Array(this.#count)
    for (let row = 0; row < this.#count; row++) indices[next[prefixOf(row)]!++] = row
    for (let prefix = 0; prefix < 0x1_0000; prefix++) {
      const start = starts[prefix]!
      const end = starts[prefix + 1]!
      if (end - start > 1) indices.subarray(start, end).sort((a, b) => this.#compare(a, b))
    }
    return indices
  }

  #compare(a: number, b: number): number {
    const [rows, size] = [this.#rows, ROW_BYTES]
    return rows.compare(rows, b * size, (b + 1) * size, a * size, (a + 1) * size)
  }

  #reserve(count: number): void {
    const needed = (this.#count + count) * ROW_BYTES
    if (needed <= this.#rows.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, this.#rows.length * 2))
    this.#rows.copy(larger, 0, 0, this.#count * ROW_BYTES)
    this.#rows = larger
  }
}

/** The rows of one pack's entries, their pack index still 0. */
export function rowsOf(entries: readonly PackEntry[]): Buffer {
  const rows = Buffer.allocUnsafeSlow(entries.length * ROW_BYTES)
  for (const [i, entry] of entries.entries()) {
    writeRow(rows, i * ROW_BYTES, entry.digest, { ...entry, packIndex: 0 })
  }
  return rows
}

/** The same, straight from the bytes of a pack table. */
export function rowsOfTable(table: Buffer): Buffer {
  const count = (table.length - PACK_SALT_BYTES) / TABLE_ENTRY_BYTES
  const rows = Buffer.allocUnsafeSlow(count * ROW_BYTES)
  for (let i = 0; i < count; i++)
    copyEntryToRow(table, PACK_SALT_BYTES + i * TABLE_ENTRY_BYTES, rows, i * ROW_BYTES)
  return rows
}
