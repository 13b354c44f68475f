import { closeSync, fsyncSync, openSync, unlinkSync } from 'node:fs'
import { ContentHasher, hexOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { PackName } from '../format/pack.ts'
import {
  bucketOf,
  COUNTERS_PER_PAGE,
  encodeTrailer,
  fanoutBitsFor,
  MAX_ROWS,
  NAMES_PER_PAGE,
  PAGE_BYTES,
  ROW_BYTES,
  ROWS_PER_PAGE,
  type SegmentName,
  sealPage,
} from '../format/segment.ts'
import { publishFile } from './durable.ts'
import { writeWhole } from './pack-writer.ts'
import { segmentPath, temporaryFolder } from './store-layout.ts'
import { temporaryPath } from './temporary-files.ts'

export type SegmentContent = {
  /** In the order of their bytes; each names its pack by its place in `packs`. */
  rows: Iterable<Buffer>
  /** At least the number of rows. */
  mostRows: number
  packs: readonly PackName[]
  superseded?: readonly SegmentName[]
  tombstones?: readonly PackName[]
}

const BUFFERED_PAGES = 64

/** Writes a segment in one pass and makes it durable under the index folder of `root`. */
export function writeSegment(root: string, content: SegmentContent): SegmentName {
  if (content.mostRows > MAX_ROWS) throw new VarveError('IO', 'an index segment of over 4 billion rows')
  const temporary = temporaryPath(temporaryFolder(root))
  const fd = openSync(temporary, 'wx', 0o444)
  let name: SegmentName
  try {
    name = new SegmentStream(fd).write(content)
    fsyncSync(fd)
  } catch (error) {
    unlinkSync(temporary)
    throw error
  } finally {
    closeSync(fd)
  }
  publishFile(temporary, segmentPath(root, name))
  return name
}

class SegmentStream {
  readonly #fd: number
  readonly #hasher = new ContentHasher()
  readonly #pages = Buffer.alloc(BUFFERED_PAGES * PAGE_BYTES)
  #pending = 0

  constructor(fd: number) {
    this.#fd = fd
  }

  write(content: SegmentContent): SegmentName {
    const fanoutBits = fanoutBitsFor(content.mostRows)
    const counts = new Uint32Array(2 ** fanoutBits)
    const rowCount = this.#section(ROWS_PER_PAGE, ROW_BYTES, content.rows, (row) => {
      counts[bucketOf(row, fanoutBits)]!++
    })
    this.#section(COUNTERS_PER_PAGE, 4, runningTotals(counts))
    const packCount = this.#names(content.packs)
    const supersededCount = this.#names(content.superseded ?? [])
    const tombstoneCount = this.#names(content.tombstones ?? [])
    this.#append(encodeTrailer({ rowCount, fanoutBits, packCount, supersededCount, tombstoneCount }))
    this.#flush()
    return hexOf(this.#hasher.digest()) as SegmentName
  }

  #names(names: readonly string[]): number {
    return this.#section(NAMES_PER_PAGE, 32, hexBytes(names))
  }

  /** Lays items of `itemBytes` into pages, `perPage` to each; gives how many there were. */
  #section(
    perPage: number,
    itemBytes: number,
    items: Iterable<Buffer>,
    onItem?: (item: Buffer) => void,
  ): number {
    let page = this.#nextPage()
    let inPage = 0
    let count = 0
    for (const item of items) {
      if (inPage === perPage) {
        this.#closePage(page)
        page = this.#nextPage()
        inPage = 0
      }
      page.set(item, inPage * itemBytes)
      onItem?.(item)
      inPage++
      count++
    }
    if (inPage > 0) this.#closePage(page)
    return count
  }

  #nextPage(): Buffer {
    if (this.#pending === BUFFERED_PAGES) this.#flush()
    return this.#pages.subarray(this.#pending * PAGE_BYTES, (this.#pending + 1) * PAGE_BYTES).fill(0)
  }

  #closePage(page: Buffer): void {
    sealPage(page)
    this.#pending++
  }

  #append(page: Buffer): void {
    this.#nextPage().set(page)
    this.#pending++
  }

  #flush(): void {
    const bytes = this.#pages.subarray(0, this.#pending * PAGE_BYTES)
    this.#hasher.update(bytes)
    writeWhole(this.#fd, bytes)
    this.#pending = 0
  }
}

/** The fan-out: for each bucket, how many rows lie in it and all before it. */
function* runningTotals(counts: Uint32Array): Generator<Buffer> {
  const item = Buffer.alloc(4)
  let total = 0
  for (const count of counts) {
    total += count
    item.writeUInt32LE(total)
    yield item
  }
}

function* hexBytes(names: readonly string[]): Generator<Buffer> {
  for (const name of names) yield Buffer.from(name, 'hex')
}
