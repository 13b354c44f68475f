import { DIGEST_BYTES, type Digest } from '../content-id.ts'

/** Digests by number, in one buffer: 32 bytes each, where a `Buffer` of its own would take 150. */
export class DigestList {
  #bytes = Buffer.allocUnsafe(64 * DIGEST_BYTES)
  #count = 0

  get length(): number {
    return this.#count
  }

  /** Copies the digest; gives its number. */
  push(digest: Digest): number {
    if ((this.#count + 1) * DIGEST_BYTES > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(this.#bytes.length * 2)
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    this.#bytes.set(digest, this.#count * DIGEST_BYTES)
    return this.#count++
  }

  /** A view. */
  at(index: number): Digest {
    return this.#bytes.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)
  }
}
