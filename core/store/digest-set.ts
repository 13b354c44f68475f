import type { Digest } from '../content-id.ts'
import { DigestList, hashOf } from './digest-list.ts'

const INITIAL_SLOTS = 1024

/**
 * A set of digests: a list, and a table with open addressing of where in the list each is, half full at the most. 40 to
 * 48 bytes a member, 4 more while it grows, where a `Set` of strings takes over 150 and ends at 16.7 million.
 */
export class DigestSet {
  readonly #members = new DigestList()
  /** Of each member, 1 + its number in the list; 0 is a free slot. */
  #slots = new Uint32Array(INITIAL_SLOTS)

  get size(): number {
    return this.#members.length
  }

  has(digest: Digest): boolean {
    return this.#slots[this.#slotOf(digest)] !== 0
  }

  /** How many were added before `digest`; -1 where it is no member. */
  indexOf(digest: Digest): number {
    return this.#slots[this.#slotOf(digest)]! - 1
  }

  /** Whether `digest` is new. */
  add(digest: Digest): boolean {
    const slot = this.#slotOf(digest)
    if (this.#slots[slot] !== 0) return false
    this.#slots[slot] = this.#members.push(digest) + 1
    if (this.size * 2 > this.#slots.length) this.#grow()
    return true
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Generator<Buffer> {
    for (let i = 0; i < this.size; i++) yield this.#members.at(i)
  }

  /** The slot that says where `digest` is, or the free one that is to. */
  #slotOf(digest: Digest): number {
    const mask = this.#slots.length - 1
    for (let slot = hashOf(digest) & mask; ; slot = (slot + 1) & mask) {
      const member = this.#slots[slot]!
      if (member === 0 || this.#members.isAt(member - 1, digest)) return slot
    }
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2)
    const mask = slots.length - 1
    for (let i = 0; i < this.size; i++) {
      let slot = this.#members.hashAt(i) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = i + 1
    }
    this.#slots = slots
  }
}
