/** Appends little-endian integers and byte strings to a buffer that grows. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  constructor(initialBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  get length(): number {
    return this.#length
  }

  u8(value: number): this {
    this.#reserve(1)
    this.#buffer[this.#length++] = value
    return this
  }

  u16(value: number): this {
    this.#length = this.#reserve(2).writeUInt16LE(value, this.#length)
    return this
  }

  u32(value: number): this {
    this.#length = this.#reserve(4).writeUInt32LE(value, this.#length)
    return this
  }

  /** A whole number below 2^53, in eight bytes. */
  u64(value: number): this {
    this.#reserve(8)
    this.#buffer.writeUInt32LE(value % 0x1_0000_0000, this.#length)
    this.#buffer.writeUInt32LE(Math.floor(value / 0x1_0000_0000), this.#length + 4)
    this.#length += 8
    return this
  }

  bigU64(value: bigint): this {
    this.#length = this.#reserve(8).writeBigUInt64LE(value, this.#length)
    return this
  }

  f64(value: number): this {
    this.#length = this.#reserve(8).writeDoubleLE(value, this.#length)
    return this
  }

  bytes(bytes: Uint8Array): this {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  zeros(count: number): this {
    this.#reserve(count).fill(0, this.#length, this.#length + count)
    this.#length += count
    return this
  }

  /** The bytes so far, as a view: valid until the next append. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** A copy of the bytes so far. */
  finish(): Buffer {
    return Buffer.from(this.view())
  }

  reset(): void {
    this.#length = 0
  }

  #reserve(count: number): Buffer {
    const needed = this.#length + count
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    return this.#buffer
  }
}
