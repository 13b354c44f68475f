import { DIGEST_BYTES, type Digest } from '../content-id.ts'

/** 128 KiB: from there on, memory that nothing was written to costs none. */
const DIGESTS_PER_SLAB = 4096

/** Digests by number: 32 bytes each, where a `Buffer` of its own would take 150. What is there never moves. */
export class DigestList {
  readonly #slabs: Buffer[] = []
  #count = 0

  get length(): number {
    return this.#count
  }

  /** Copies the digest; gives its number. */
  push(digest: Digest): number {
    const index = this.#count++
    const at = index % DIGESTS_PER_SLAB
    if (at === 0) this.#slabs.push(Buffer.allocUnsafeSlow(DIGESTS_PER_SLAB * DIGEST_BYTES))
    this.#slabs[this.#slabs.length - 1]!.set(digest, at * DIGEST_BYTES)
    return index
  }

  /** A view. */
  at(index: number): Buffer {
    const start = (index % DIGESTS_PER_SLAB) * DIGEST_BYTES
    return this.#slabOf(index).subarray(start, start + DIGEST_BYTES)
  }

  /** The first four bytes as an integer: a hash of the digest. */
  hashAt(index: number): number {
    return hashOf(this.#slabOf(index), (index % DIGESTS_PER_SLAB) * DIGEST_BYTES)
  }

  isAt(index: number, digest: Digest): boolean {
    const slab = this.#slabOf(index)
    const start = (index % DIGESTS_PER_SLAB) * DIGEST_BYTES
    for (let i = 0; i < DIGEST_BYTES; i++) if (slab[start + i] !== digest[i]) return false
    return true
  }

  #slabOf(index: number): Buffer {
    return this.#slabs[Math.floor(index / DIGESTS_PER_SLAB)]!
  }
}

export function hashOf(bytes: Uint8Array, at = 0): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
