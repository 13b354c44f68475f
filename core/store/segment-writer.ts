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
  /**
   * In the order of their bytes; each names its pack by its place in `packs`. A buffer holds one row or several, and is
   * read before the next is asked for.
   */
  rows: Iterable<Uint8Array>
  /** At least the number of rows. */
  mostRows: number
  packs: readonly PackName[]
  superseded?: readonly SegmentName[]
  tombstones?: readonly PackName[]
  /** Of a sample: the segment that it stands for, whose name it takes. Else the name is the BLAKE3 of the bytes. */
  standsFor?: SegmentName
}

const BUFFERED_PAGES = 64

/** Writes a segment in one pass and makes it durable under the index folder of `root`. */
export function writeSegment(root: string, content: SegmentContent): SegmentName {
  if (content.mostRows > MAX_ROWS) throw new VarveError('IO', 'an index segment of over 4 billion rows')
  const temporary = temporaryPath(temporaryFolder(root))
  const fd = openSync(temporary, 'wx', 0o444)
  let name: SegmentName
  try {
    const hash = new SegmentStream(fd).write(content)
    name = content.standsFor ?? hash
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
    const rowCount = this.#section(ROWS_PER_PAGE, ROW_BYTES, counted(content.rows, counts, fanoutBits))
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

  /** Lays items of `itemBytes`, of which each block has some, into pages, `perPage` to each; gives how many there were. */
  #section(perPage: number, itemBytes: number, blocks: Iterable<Uint8Array>): number {
    const full = perPage * itemBytes
    let page = this.#nextPage()
    let filled = 0
    let total = 0
    for (const block of blocks) {
      for (let done = 0; done < block.length; ) {
        if (filled === full) {
          this.#closePage(page)
          page = this.#nextPage()
          filled = 0
        }
        const length = Math.min(block.length - done, full - filled)
        page.set(block.subarray(done, done + length), filled)
        filled += length
        done += length
      }
      total += block.length
    }
    if (filled > 0) this.#closePage(page)
    return total / itemBytes
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

/** Passes rows on, and counts those of each bucket. */
function* counted(
  blocks: Iterable<Uint8Array>,
  counts: Uint32Array,
  fanoutBits: number,
): Generator<Uint8Array> {
  for (const block of blocks) {
    for (let at = 0; at < block.length; at += ROW_BYTES) counts[bucketOf(block, fanoutBits, at)]!++
    yield block
  }
}

/** The fan-out: for each bucket, how many rows lie in it and all before it. */
function* runningTotals(counts: Uint32Array): Generator<Buffer> {
  const block = Buffer.alloc(COUNTERS_PER_PAGE * 4)
  let total = 0
  for (let done = 0; done < counts.length; done += COUNTERS_PER_PAGE) {
    const length = Math.min(COUNTERS_PER_PAGE, counts.length - done)
    for (let i = 0; i < length; i++) {
      total += counts[done + i]!
      block.writeUInt32LE(total, i * 4)
    }
    yield block.subarray(0, length * 4)
  }
}

function* hexBytes(names: readonly string[]): Generator<Buffer> {
  for (const name of names) yield Buffer.from(name, 'hex')
}
