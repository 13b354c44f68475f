import { readSync } from 'node:fs'
import { PAGE_BYTES, verifyPage } from '../format/segment.ts'

/** 64 MiB of pages: what bounds the memory of every look-up, however large the index. */
const MAX_PAGES = 16_384

/** The verified pages that were read last, of all segments of a store. Least recently used goes first. */
export class PageCache {
  readonly #pages = new Map<number, Buffer>()
  #files = 0

  /** A number that tells the pages of one file from those of the others. */
  register(): number {
    return this.#files++
  }

  /** @throws CORRUPT */
  read(file: { id: number; fd: number; where: string }, page: number): Buffer {
    const key = file.id * 0x4000_0000 + page
    const known = this.#pages.get(key)
    if (known !== undefined) {
      this.#pages.delete(key)
      this.#pages.set(key, known)
      return known
    }
    const bytes = Buffer.alloc(PAGE_BYTES)
    readSync(file.fd, bytes, 0, PAGE_BYTES, page * PAGE_BYTES)
    verifyPage(bytes, file.where)
    if (this.#pages.size >= MAX_PAGES) this.#pages.delete(this.#pages.keys().next().value!)
    this.#pages.set(key, bytes)
    return bytes
  }
}
