import { PAGE_BYTES } from '../format/segment.ts'
import { readPages } from './read-pages.ts'

/** 64 MiB of pages: what bounds the memory of every look-up, however large the index. */
const MAX_PAGES = 16_384
const PAGES_PER_SLAB = 256

/** A file some of whose pages are in a cache: `slots` tells where, by page. */
export type CachedFile = { readonly fd: number; readonly where: string; readonly slots: Map<number, number> }

/**
 * The verified pages that were read last, of all segments of a store. What goes is found by the second-chance rule
 * (CLOCK): a hit only sets a bit, where an order of use would have to be rewritten with every hit.
 */
export class PageCache {
  /** One view a slot, into slabs that are made as they are needed. */
  readonly #views: Buffer[] = []
  readonly #owners: (CachedFile | undefined)[] = []
  readonly #pages: number[] = []
  readonly #wasHit = new Uint8Array(MAX_PAGES)
  #hand = 0
  #readCount = 0

  /** How many pages were read from files so far. */
  get readCount(): number {
    return this.#readCount
  }

  register(fd: number, where: string): CachedFile {
    return { fd, where, slots: new Map() }
  }

  /**
   * The page as a view that is valid until the next call, which may lay another page in its place.
   * @throws CORRUPT
   */
  read(file: CachedFile, page: number): Buffer {
    const slot = file.slots.get(page)
    if (slot === undefined) return this.#load(file, page)
    this.#wasHit[slot] = 1
    return this.#views[slot]!
  }

  #load(file: CachedFile, page: number): Buffer {
    const slot = this.#owners.length < MAX_PAGES ? this.#newSlot() : this.#reusedSlot()
    const view = this.#views[slot]!
    this.#readCount++
    readPages(file, page, view)
    this.#owners[slot] = file
    this.#pages[slot] = page
    file.slots.set(page, slot)
    return view
  }

  #newSlot(): number {
    const slot = this.#owners.push(undefined) - 1
    if (slot === this.#views.length) {
      const slab = Buffer.allocUnsafeSlow(PAGES_PER_SLAB * PAGE_BYTES)
      for (let at = 0; at < slab.length; at += PAGE_BYTES)
        this.#views.push(slab.subarray(at, at + PAGE_BYTES))
    }
    return slot
  }

  /** A slot that nothing owns any more. One whose page turned out damaged stays so until the hand comes again. */
  #reusedSlot(): number {
    while (this.#wasHit[this.#hand] === 1) {
      this.#wasHit[this.#hand] = 0
      this.#hand = (this.#hand + 1) % MAX_PAGES
    }
    const slot = this.#hand
    this.#hand = (slot + 1) % MAX_PAGES
    this.#owners[slot]?.slots.delete(this.#pages[slot]!)
    this.#owners[slot] = undefined
    return slot
  }
}
