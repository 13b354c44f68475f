import { PAGE_BYTES, ROW_BYTES, ROWS_PER_PAGE } from '../format/segment.ts'
import { readPages } from './read-pages.ts'

const PAGES_PER_BLOCK = 64

/**
 * Walks the rows of a segment in order, once: blocks of pages of its own, so that a walk through gigabytes leaves the
 * page cache to the look-ups.
 */
export class RowCursor {
  /** Holds the row, from byte `at` on. What is written into it changes nothing but this view. */
  readonly bytes: Buffer
  #at = 0
  readonly #file: { fd: number; where: string }
  readonly #pageCount: number
  /** The page after those in `bytes`. */
  #nextPage = 0
  #blockEnd = 0
  #rowsLeft: number
  #leftInPage = 0

  constructor(file: { fd: number; where: string }, rowCount: number) {
    this.#file = file
    this.#rowsLeft = rowCount
    this.#pageCount = Math.ceil(rowCount / ROWS_PER_PAGE)
    this.bytes = Buffer.allocUnsafeSlow(Math.min(this.#pageCount, PAGES_PER_BLOCK) * PAGE_BYTES)
  }

  get at(): number {
    return this.#at
  }

  /**
   * Steps to the next row, to the first at first; false at the end.
   * @throws CORRUPT
   */
  next(): boolean {
    if (this.#rowsLeft === 0) return false
    this.#rowsLeft--
    if (this.#leftInPage === 0) this.#turnPage()
    else this.#at += ROW_BYTES
    this.#leftInPage--
    return true
  }

  #turnPage(): void {
    const pageAt = this.#nextPage === 0 ? 0 : (Math.floor(this.#at / PAGE_BYTES) + 1) * PAGE_BYTES
    this.#at = pageAt
    if (pageAt === this.#blockEnd) {
      const pages = Math.min(PAGES_PER_BLOCK, this.#pageCount - this.#nextPage)
      this.#blockEnd = pages * PAGE_BYTES
      readPages(this.#file, this.#nextPage, this.bytes.subarray(0, this.#blockEnd))
      this.#nextPage += pages
      this.#at = 0
    }
    this.#leftInPage = ROWS_PER_PAGE
  }
}
