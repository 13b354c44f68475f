import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import {
  bucketOf,
  COUNTERS_PER_PAGE,
  decodeTrailer,
  layoutOf,
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
import type { PageCache } from './page-cache.ts'

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
  readonly #file: { id: number; fd: number; where: string }
  readonly #cache: PageCache

  /** @throws CORRUPT, MALFORMED, TOO_NEW */
  constructor(path: string, name: SegmentName, cache: PageCache) {
    this.name = name
    this.#cache = cache
    this.#file = { id: cache.register(), fd: openSync(path, 'r'), where: `index segment ${path}` }
    try {
      const { size } = fstatSync(this.#file.fd)
      if (size < PAGE_BYTES || size % PAGE_BYTES !== 0) {
        throw new VarveError('CORRUPT', `${this.#file.where}: cut short`, {
          hint: 'Run `varve verify --rebuild-index` to make the index anew from the packs.',
        })
      }
      const last = Buffer.alloc(PAGE_BYTES)
      readSync(this.#file.fd, last, 0, PAGE_BYTES, size - PAGE_BYTES)
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

  /** Every row of this kind and digest. */
  *find(kind: EntryKind, digest: Digest): Generator<Location> {
    const bucket = bucketOf(digest, this.#trailer.fanoutBits)
    const end = this.#counter(bucket)
    let low = bucket === 0 ? 0 : this.#counter(bucket - 1)
    let high = end
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#compareRow(middle, digest, kind) < 0) low = middle + 1
      else high = middle
    }
    for (; low < end && this.#compareRow(low, digest, kind) === 0; low++) yield this.#location(low)
  }

  /** Every row as its bytes, in order: views, valid until the next step. */
  *rows(): Generator<Buffer> {
    for (let row = 0; row < this.rowCount; row++) {
      const page = this.#page(this.#layout.rows + Math.floor(row / ROWS_PER_PAGE))
      const at = (row % ROWS_PER_PAGE) * ROW_BYTES
      yield page.subarray(at, at + ROW_BYTES)
    }
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

  #compareRow(row: number, digest: Digest, kind: EntryKind): number {
    const page = this.#page(this.#layout.rows + Math.floor(row / ROWS_PER_PAGE))
    const at = (row % ROWS_PER_PAGE) * ROW_BYTES
    for (let i = 0; i < digest.length; i++) {
      const difference = page[at + i]! - digest[i]!
      if (difference !== 0) return difference
    }
    return page[at + digest.length]! - KIND_NUMBERS[kind]
  }

  #location(row: number): Location {
    const page = this.#page(this.#layout.rows + Math.floor(row / ROWS_PER_PAGE))
    const { packIndex, ...rest } = readRow(page, (row % ROWS_PER_PAGE) * ROW_BYTES, this.#file.where)
    if (packIndex >= this.#trailer.packCount) {
      throw new VarveError('MALFORMED', `${this.#file.where}: a row of no pack`)
    }
    const names = this.#page(this.#layout.packs + Math.floor(packIndex / NAMES_PER_PAGE))
    const within = packIndex % NAMES_PER_PAGE
    const [pack] = readNames(names.subarray(within * 32), 1)
    return { pack: pack!, ...rest }
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
