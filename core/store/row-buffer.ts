import { PACK_SALT_BYTES, type PackEntry, type PackName, TABLE_ENTRY_BYTES } from '../format/pack.ts'
import {
  bucketOf,
  compareRows,
  copyEntryToRow,
  copyRow,
  ROW_BYTES,
  ROW_PACK_INDEX_AT,
  writeRow,
} from '../format/segment.ts'

const ROWS_PER_BLOCK = 1024
/** The counters of a sort take 64 MiB at most. */
const MAX_RADIX_BITS = 24
/** Of a bucket with more rows, the digests are no hashes, or there are very many. */
const MAX_INSERTIONS = 32

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

  /** The rows in the order of their bytes, by digest, then kind: many to a block, which is valid until the next step. */
  *sorted(): Generator<Buffer> {
    const order = this.#sortedIndices()
    const block = Buffer.allocUnsafeSlow(Math.min(this.#count, ROWS_PER_BLOCK) * ROW_BYTES)
    for (let done = 0; done < order.length; done += ROWS_PER_BLOCK) {
      yield this.#gather(order.subarray(done, done + ROWS_PER_BLOCK), block)
    }
  }

  /** Not in the generator: the engine makes little of loops in one. */
  #gather(order: Uint32Array, block: Buffer): Buffer {
    for (let i = 0; i < order.length; i++) copyRow(this.#rows, order[i]! * ROW_BYTES, block, i * ROW_BYTES)
    return block.subarray(0, order.length * ROW_BYTES)
  }

  /** Counting sort on the first bits of the digest, into buckets of a few rows; these are sorted by comparing. */
  #sortedIndices(): Uint32Array {
    const bits = Math.min(MAX_RADIX_BITS, Math.ceil(Math.log2(this.#count / 2 + 1)))
    const bucketOfRow = (row: number) => bucketOf(this.#rows, bits, row * ROW_BYTES)
    const ends = new Uint32Array(2 ** bits)
    for (let row = 0; row < this.#count; row++) ends[bucketOfRow(row)]!++
    for (let bucket = 1; bucket < ends.length; bucket++) ends[bucket]! += ends[bucket - 1]!
    const indices = new Uint32Array(this.#count)
    // From the last row down, each bucket's end moves to its start.
    for (let row = this.#count - 1; row >= 0; row--) indices[--ends[bucketOfRow(row)]!] = row
    for (let bucket = 0; bucket < ends.length; bucket++) {
      const start = ends[bucket]!
      const end = bucket + 1 < ends.length ? ends[bucket + 1]! : this.#count
      if (end - start > MAX_INSERTIONS) indices.subarray(start, end).sort((a, b) => this.#compare(a, b))
      else this.#insertionSort(indices, start, end)
    }
    return indices
  }

  #insertionSort(indices: Uint32Array, start: number, end: number): void {
    for (let i = start + 1; i < end; i++) {
      const row = indices[i]!
      let to = i
      for (; to > start && this.#compare(indices[to - 1]!, row) > 0; to--) indices[to] = indices[to - 1]!
      indices[to] = row
    }
  }

  #compare(a: number, b: number): number {
    return compareRows(this.#rows, a * ROW_BYTES, this.#rows, b * ROW_BYTES)
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
