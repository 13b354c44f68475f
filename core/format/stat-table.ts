import { ByteWriter } from './byte-writer.ts'

/**
 * A sorted table of byte strings, each with a record of fixed width, searched where it lies: no object an entry.
 * The stat cache is made of these: docs/formats/stat-cache.md.
 */
export class StatTable {
  readonly count: number
  readonly bytes: Buffer
  /** Records are read through it, at `recordOffset`. */
  readonly view: DataView
  readonly #recordBytes: number
  readonly #recordsAt: number
  readonly #namesAt: number
  /** Names are mostly asked for in order: the entry after the one that was found last. */
  #next = 0

  private constructor(bytes: Buffer, recordBytes: number) {
    this.bytes = bytes
    this.#recordBytes = recordBytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.count = this.view.getUint32(0, true)
    this.#recordsAt = 4 + 4 * this.count
    this.#namesAt = this.#recordsAt + recordBytes * this.count
  }

  /** Keeps a view of `bytes`. Undefined where they are no table of such records. */
  static open(bytes: Buffer, recordBytes: number): StatTable | undefined {
    if (bytes.length < 4) return undefined
    if (4 + (4 + recordBytes) * bytes.readUInt32LE(0) > bytes.length) return undefined
    const table = new StatTable(bytes, recordBytes)
    return table.#isSound() ? table : undefined
  }

  /** The index of `name`, or -1. */
  find(name: string): number {
    if (this.#next < this.count && this.#isAsciiNameAt(this.#next, name)) return this.#next++
    const wanted = Buffer.from(name)
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const order = this.bytes.compare(
        wanted,
        0,
        wanted.length,
        this.#nameStart(middle),
        this.#nameEnd(middle),
      )
      if (order === 0) {
        this.#next = middle + 1
        return middle
      }
      if (order < 0) low = middle + 1
      else high = middle
    }
    this.#next = low
    return -1
  }

  /** A view. */
  nameBytes(index: number): Buffer {
    return this.bytes.subarray(this.#nameStart(index), this.#nameEnd(index))
  }

  name(index: number): string {
    return this.bytes.toString('utf8', this.#nameStart(index), this.#nameEnd(index))
  }

  /** Negative where the name at `index` comes before that of `other` at `otherIndex`, by their bytes. */
  compareName(index: number, other: StatTable, otherIndex: number): number {
    return this.bytes.compare(
      other.bytes,
      other.#nameStart(otherIndex),
      other.#nameEnd(otherIndex),
      this.#nameStart(index),
      this.#nameEnd(index),
    )
  }

  recordOffset(index: number): number {
    return this.#recordsAt + index * this.#recordBytes
  }

  /** A view. */
  record(index: number): Buffer {
    const at = this.recordOffset(index)
    return this.bytes.subarray(at, at + this.#recordBytes)
  }

  #nameStart(index: number): number {
    return this.#namesAt + (index === 0 ? 0 : this.view.getUint32(4 * index, true))
  }

  #nameEnd(index: number): number {
    return this.#namesAt + this.view.getUint32(4 + 4 * index, true)
  }

  #isAsciiNameAt(index: number, name: string): boolean {
    const start = this.#nameStart(index)
    if (this.#nameEnd(index) - start !== name.length) return false
    for (let i = 0; i < name.length; i++) {
      const unit = name.charCodeAt(i)
      if (unit > 0x7f || unit !== this.bytes[start + i]) return false
    }
    return true
  }

  #isSound(): boolean {
    let before = this.#namesAt
    for (let i = 0; i < this.count; i++) {
      const end = this.#nameEnd(i)
      if (end < before) return false
      before = end
    }
    return before === this.bytes.length
  }
}

/** Collects the entries of a table, which must come sorted by the bytes of their names, no name twice. */
export class StatTableBuilder {
  readonly #ends = new ByteWriter()
  readonly #records = new ByteWriter()
  readonly #names = new ByteWriter()
  #count = 0

  get count(): number {
    return this.#count
  }

  get sizeBytes(): number {
    return 4 + this.#ends.length + this.#records.length + this.#names.length
  }

  add(name: Uint8Array, record: Uint8Array): void {
    this.#names.bytes(name)
    this.#ends.u32(this.#names.length)
    this.#records.bytes(record)
    this.#count++
  }

  finish(): Buffer {
    return new ByteWriter(this.sizeBytes)
      .u32(this.#count)
      .bytes(this.#ends.view())
      .bytes(this.#records.view())
      .bytes(this.#names.view())
      .view()
  }
}
