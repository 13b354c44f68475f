import { DIGEST_BYTES, type Digest } from '../content-id.ts'

const INITIAL_SLOTS = 1024

/**
 * A set of digests in one flat buffer with open addressing: 43 to 86 bytes a member, where a `Set` of strings
 * takes over 150 and ends at 16.7 million.
 */
export class DigestSet {
  #slots = Buffer.alloc(INITIAL_SLOTS * DIGEST_BYTES)
  #used = new Uint8Array(INITIAL_SLOTS)
  #mask = INITIAL_SLOTS - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  has(digest: Digest): boolean {
    return this.#used[this.#slotOf(digest)] === 1
  }

  /** Whether `digest` is new. */
  add(digest: Digest): boolean {
    const slot = this.#slotOf(digest)
    if (this.#used[slot] === 1) return false
    this.#slots.set(digest, slot * DIGEST_BYTES)
    this.#used[slot] = 1
    this.#size++
    if (this.#size * 4 > this.#used.length * 3) this.#grow()
    return true
  }

  *[Symbol.iterator](): Generator<Buffer> {
    for (let slot = 0; slot < this.#used.length; slot++) {
      if (this.#used[slot] === 1) yield this.#slots.subarray(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES)
    }
  }

  /** The slot that holds `digest`, or the free one where it belongs. */
  #slotOf(digest: Digest): number {
    const first = digest[0]! | (digest[1]! << 8) | (digest[2]! << 16) | (digest[3]! << 24)
    let slot = first & this.#mask
    while (this.#used[slot] === 1 && !this.#equals(slot, digest)) slot = (slot + 1) & this.#mask
    return slot
  }

  #equals(slot: number, digest: Digest): boolean {
    const at = slot * DIGEST_BYTES
    for (let i = 0; i < DIGEST_BYTES; i++) {
      if (this.#slots[at + i] !== digest[i]) return false
    }
    return true
  }

  #grow(): void {
    const members = this.#slots
    const used = this.#used
    const count = used.length * 2
    this.#slots = Buffer.alloc(count * DIGEST_BYTES)
    this.#used = new Uint8Array(count)
    this.#mask = count - 1
    for (let slot = 0; slot < used.length; slot++) {
      if (used[slot] === 0) continue
      const digest = members.subarray(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES)
      const target = this.#slotOf(digest)
      this.#slots.set(digest, target * DIGEST_BYTES)
      this.#used[target] = 1
    }
  }
}
