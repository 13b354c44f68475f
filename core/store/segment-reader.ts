import { closeSync, fstatSync, openSync } from 'node:fs'
import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import {
  bucketOf,
  COUNTERS_PER_PAGE,
  compareToRow,
  decodeTrailer,
  layoutOf,
  leadingBits,
  NAMES_PER_PAGE,
  PAGE_BYTES,
  ROW_BYTES,
  ROWS_PER_PAGE,
  readNames,
  readRow,
  type SegmentLayout,
  type SegmentName,
  type SegmentTrailer,
} from '../format/segment.ts'
import type { CachedFile, PageCache } from './page-cache.ts'
import { readPages } from './read-pages.ts'
import { RowCursor } from './row-cursor.ts'

/** Where the bytes of an entry are. */
export type Location = {
  pack: PackName
  kind: EntryKind
  codec: 'raw' | 'zstd'
  offset: number
  storedBytes: number
  rawBytes: number
}

const KIND_NUMBERS: Record<EntryKind, number> = { chunk: 0, node: 1, recipe: 2 }

/** One index segment on disk. Opening reads its last page; a look-up reads two or three. */
export class SegmentReader {
  readonly name: SegmentName
  readonly rowCount: number
  readonly superseded: SegmentName[]
  readonly tombstones: PackName[]
  readonly #trailer: SegmentTrailer
  readonly #layout: SegmentLayout
  readonly #file: CachedFile
  readonly #cache: PageCache
  /** Those that a look-up came upon: where entries lie in the same pack, their names are the same string. */
  #packNames: (PackName | undefined)[] | undefined

  /** @throws CORRUPT, MALFORMED, TOO_NEW */
  constructor(path: string, name: SegmentName, cache: PageCache) {
    this.name = name
    this.#cache = cache
    this.#file = cache.register(openSync(path, 'r'), `index segment ${path}`)
    try {
      const { size } = fstatSync(this.#file.fd)
      if (size < PAGE_BYTES || size % PAGE_BYTES !== 0) {
        throw new VarveError('CORRUPT', `${this.#file.where}: cut short`, {
          hint: 'Run `varve verify --rebuild-index` to make the index anew from the packs.',
        })
      }
      const last = Buffer.alloc(PAGE_BYTES)
      readPages(this.#file, size / PAGE_BYTES - 1, last)
      this.#trailer = decodeTrailer(last, size, this.#file.where)
      this.#layout = layoutOf(this.#trailer)
      this.rowCount = this.#trailer.rowCount
      const { superseded, tombstones } = this.#layout
      this.superseded = this.#names(superseded, this.#trailer.supersededCount) as string[] as SegmentName[]
      this.tombstones = this.#names(tombstones, this.#trailer.tombstoneCount)
    } catch (error) {
      closeSync(this.#file.fd)
      throw error
    }
  }

  /** The first row of this kind and digest. */
  findFirst(kind: EntryKind, digest: Digest): Location | undefined {
    return this.#locationIf(this.#lowerBound(kind, digest), kind, digest)
  }

  /** Every row of this kind and digest. */
  *find(kind: EntryKind, digest: Digest): Generator<Location> {
    for (let row = this.#lowerBound(kind, digest); ; row++) {
      const location = this.#locationIf(row, kind, digest)
      if (location === undefined) return
      yield location
    }
  }

  /** A walk over the rows in order. */
  cursor(): RowCursor {
    return new RowCursor(this.#file, this.rowCount)
  }

  /** Every row as its bytes, in order: views, valid until the next step. */
  *rows(): Generator<Buffer> {
    const cursor = this.cursor()
    while (cursor.next()) yield cursor.bytes.subarray(cursor.at, cursor.at + ROW_BYTES)
  }

  packs(): PackName[] {
    return this.#names(this.#layout.packs, this.#trailer.packCount)
  }

  close(): void {
    closeSync(this.#file.fd)
  }

  #page(page: number): Buffer {
    return this.#cache.read(this.#file, page)
  }

  #counter(bucket: number): number {
    const page = this.#page(this.#layout.fanout + Math.floor(bucket / COUNTERS_PER_PAGE))
    const total = page.readUInt32LE((bucket % COUNTERS_PER_PAGE) * 4)
    if (total > this.rowCount) throw new VarveError('MALFORMED', `${this.#file.where}: a broken fan-out`)
    return total
  }

  /**
   * The first row that does not come before this kind and digest. Digests are spread evenly, so the page where one
   * ought to be in its bucket is looked at first: a bucket mostly lies across two.
   */
  #lowerBound(kind: EntryKind, digest: Digest): number {
    const { fanoutBits } = this.#trailer
    const kindNumber = KIND_NUMBERS[kind]
    const bucket = bucketOf(digest, fanoutBits)
    let low = bucket === 0 ? 0 : this.#counter(bucket - 1)
    let high = this.#counter(bucket)
    let row = low + Math.floor((high - low) * placeInBucket(digest, fanoutBits))
    while (low < high) {
      const firstOfPage = row - (row % ROWS_PER_PAGE)
      const page = this.#page(this.#layout.rows + firstOfPage / ROWS_PER_PAGE)
      const start = Math.max(low, firstOfPage) - firstOfPage
      const end = Math.min(high, firstOfPage + ROWS_PER_PAGE) - firstOfPage
      const within = lowerBoundInPage(page, { start, end }, digest, kindNumber)
      if (within === end) low = firstOfPage + end
      else if (within === start) high = firstOfPage + start
      else return firstOfPage + within
      // Where rows have 32-bit numbers, the sum of two has more.
      row = low + ((high - low) >>> 1)
    }
    return low
  }

  #locationIf(row: number, kind: EntryKind, digest: Digest): Location | undefined {
    if (row >= this.rowCount) return undefined
    const page = this.#page(this.#layout.rows + Math.floor(row / ROWS_PER_PAGE))
    const at = (row % ROWS_PER_PAGE) * ROW_BYTES
    if (compareToRow(digest, KIND_NUMBERS[kind], page, at) !== 0) return undefined
    const { packIndex, codec, offset, storedBytes, rawBytes } = readRow(page, at, this.#file.where)
    return { pack: this.#packName(packIndex), kind, codec, offset, storedBytes, rawBytes }
  }

  #packName(packIndex: number): PackName {
    const { packCount } = this.#trailer
    if (packIndex >= packCount) {
      throw new VarveError('MALFORMED', `${this.#file.where}: a row of no pack`)
    }
    this.#packNames ??= new Array<PackName | undefined>(packCount)
    const known = this.#packNames[packIndex]
    if (known !== undefined) return known
    const names = this.#page(this.#layout.packs + Math.floor(packIndex / NAMES_PER_PAGE))
    const [name] = readNames(names.subarray((packIndex % NAMES_PER_PAGE) * DIGEST_BYTES), 1)
    this.#packNames[packIndex] = name
    return name!
  }

  #names(firstPage: number, count: number): PackName[] {
    const names: PackName[] = []
    for (let done = 0; done < count; done += NAMES_PER_PAGE) {
      const page = this.#page(firstPage + done / NAMES_PER_PAGE)
      names.push(...readNames(page, Math.min(NAMES_PER_PAGE, count - done)))
    }
    return names
  }
}

/** How far into its bucket a digest lies, from 0 to less than 1. */
function placeInBucket(digest: Digest, fanoutBits: number): number {
  return ((leadingBits(digest) << fanoutBits) >>> 0) / 2 ** 32
}

/** The first of the rows from `start` to `end` in a page that does not come before the digest and kind; or `end`. */
function lowerBoundInPage(
  page: Buffer,
  rows: { start: number; end: number },
  digest: Digest,
  kindNumber: number,
): number {
  let { start, end } = rows
  while (start < end) {
    const middle = (start + end) >>> 1
    if (compareToRow(digest, kindNumber, page, middle * ROW_BYTES) > 0) start = middle + 1
    else end = middle
  }
  return start
}
