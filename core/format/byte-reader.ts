import { VarveError } from '../errors.ts'

/**
 * Reads little-endian integers and byte strings, and never past the end: what a hostile length would
 * reach for is a MALFORMED error that names `what`.
 */
export class ByteReader {
  readonly #buffer: Buffer
  readonly #what: string
  #offset = 0

  constructor(bytes: Uint8Array, what: string) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset
  }

  u8(): number {
    return this.#buffer[this.#advance(1)]!
  }

  u16(): number {
    return this.#buffer.readUInt16LE(this.#advance(2))
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#advance(4))
  }

  /** A whole number below 2^53: anything larger is MALFORMED. */
  u64(): number {
    const at = this.#advance(8)
    const value = this.#buffer.readUInt32LE(at) + this.#buffer.readUInt32LE(at + 4) * 0x1_0000_0000
    if (!Number.isSafeInteger(value)) this.fail('a number of 2^53 or more')
    return value
  }

  bigU64(): bigint {
    return this.#buffer.readBigUInt64LE(this.#advance(8))
  }

  f64(): number {
    return this.#buffer.readDoubleLE(this.#advance(8))
  }

  /** A view, not a copy. */
  bytes(count: number): Buffer {
    const at = this.#advance(count)
    return this.#buffer.subarray(at, at + count)
  }

  expectEnd(): void {
    if (this.remaining !== 0) this.fail(`${this.remaining} bytes after the end`)
  }

  fail(why: string): never {
    throw new VarveError('MALFORMED', `${this.#what}: ${why}`)
  }

  #advance(count: number): number {
    const at = this.#offset
    if (count > this.remaining) this.fail(`cut short at byte ${at}`)
    this.#offset = at + count
    return at
  }
}
