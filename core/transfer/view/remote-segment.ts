import { DIGEST_BYTES, type Digest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import { ENTRY_KINDS, type EntryKind, type PackName } from '../../format/pack.ts'
import {
  bucketOf,
  COUNTERS_PER_PAGE,
  compareToRow,
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
  verifyPage,
} from '../../format/segment.ts'
import type { Remote } from '../../remote.ts'
import { segmentKey } from '../../store/store-layout.ts'
import type { ListedFile } from '../objects/listed-files.ts'
import { readWhole } from '../objects/read-whole.ts'

export type SegmentHeader = { superseded: SegmentName[]; tombstones: PackName[] }

/** Trailer and name lists of most segments lie within so many pages from the end. */
const TAIL_PAGES = 4
/** Digests are spread evenly, so a bucket of the fan-out has a page of rows or two: more is no honest segment's. */
const MOST_BUCKET_PAGES = 64
/** Lists of names are read in one go: of 16 million names at most. */
const MOST_LIST_PAGES = 131_072
/** 16 MiB of pages, of all segments that are asked. */
const MOST_CACHED_PAGES = 4096

/** The pages that were read last, by key and number. */
export class PageMemory {
  readonly #pages = new Map<string, Buffer>()

  get(id: string): Buffer | undefined {
    return this.#pages.get(id)
  }

  keep(id: string, page: Buffer): void {
    if (this.#pages.size >= MOST_CACHED_PAGES) this.#pages.delete(this.#pages.keys().next().value!)
    this.#pages.set(id, page)
  }
}

/** A segment that stays on the remote: asked by ranged reads, whose pages are checked one by one. */
export class RemoteSegment {
  readonly #remote: Remote
  readonly #name: SegmentName
  readonly #where: string
  readonly #memory: PageMemory
  readonly #signal: AbortSignal | undefined
  readonly #trailer: SegmentTrailer
  readonly #layout: SegmentLayout

  private constructor(options: RemoteSegmentOptions, trailer: SegmentTrailer) {
    this.#remote = options.remote
    this.#name = options.file.name
    this.#where = whereOf(options)
    this.#memory = options.memory
    this.#signal = options.signal
    this.#trailer = trailer
    this.#layout = layoutOf(trailer)
  }

  /** Reads its last pages. @throws NOT_FOUND, CORRUPT, MALFORMED, TOO_NEW */
  static async open(options: RemoteSegmentOptions): Promise<RemoteSegment> {
    const { remote, file, memory, signal } = options
    const { name, sizeBytes } = file
    const count = Math.floor(sizeBytes / PAGE_BYTES)
    if (count === 0 || sizeBytes % PAGE_BYTES !== 0) {
      throw new VarveError('CORRUPT', `${whereOf(options)}: cut short`)
    }
    const first = Math.max(0, count - TAIL_PAGES)
    const range = { start: first * PAGE_BYTES, endExclusive: sizeBytes }
    const mostBytes = TAIL_PAGES * PAGE_BYTES
    const bytes = await readWhole(remote, segmentKey(name), { mostBytes, range, signal })
    if (bytes.length !== range.endExclusive - range.start) {
      throw new VarveError('CORRUPT', `${whereOf(options)}: cut short`)
    }
    const trailer = decodeTrailer(bytes.subarray(-PAGE_BYTES), sizeBytes, whereOf(options))
    for (let page = first; page < count - 1; page++) {
      const at = (page - first) * PAGE_BYTES
      memory.keep(`${name}/${page}`, checkedPage(bytes.subarray(at, at + PAGE_BYTES), whereOf(options)))
    }
    return new RemoteSegment(options, trailer)
  }

  async header(): Promise<SegmentHeader> {
    const { superseded, tombstones } = this.#layout
    return {
      superseded: (await this.#names(superseded, this.#trailer.supersededCount)) as string[] as SegmentName[],
      tombstones: await this.#names(tombstones, this.#trailer.tombstoneCount),
    }
  }

  /** The packs in which it has entries of this kind and digest: two to four requests. */
  async packsOf(kind: EntryKind, digest: Digest): Promise<PackName[]> {
    const { fanoutBits, rowCount } = this.#trailer
    const bucket = bucketOf(digest, fanoutBits)
    const low = bucket === 0 ? 0 : await this.#counter(bucket - 1)
    const high = await this.#counter(bucket)
    const first = Math.floor(low / ROWS_PER_PAGE)
    const end = Math.ceil(high / ROWS_PER_PAGE)
    if (high > rowCount || low > high || end - first > MOST_BUCKET_PAGES) {
      throw new VarveError('MALFORMED', `${this.#where}: a broken fan-out`)
    }
    if (low === high) return []
    const pages = await this.#pages(first, end - first)
    const packs: PackName[] = []
    for (let row = low; row < high; row++) {
      const page = pages[Math.floor(row / ROWS_PER_PAGE) - first]!
      const at = (row % ROWS_PER_PAGE) * ROW_BYTES
      if (compareToRow(digest, ENTRY_KINDS.indexOf(kind), page, at) !== 0) continue
      packs.push(await this.#pack(readRow(page, at, this.#where).packIndex))
    }
    return packs
  }

  async #counter(bucket: number): Promise<number> {
    const [page] = await this.#pages(this.#layout.fanout + Math.floor(bucket / COUNTERS_PER_PAGE), 1)
    return page!.readUInt32LE((bucket % COUNTERS_PER_PAGE) * 4)
  }

  async #pack(index: number): Promise<PackName> {
    if (index >= this.#trailer.packCount) {
      throw new VarveError('MALFORMED', `${this.#where}: a row of no pack`)
    }
    const [page] = await this.#pages(this.#layout.packs + Math.floor(index / NAMES_PER_PAGE), 1)
    return readNames(page!.subarray((index % NAMES_PER_PAGE) * DIGEST_BYTES), 1)[0]!
  }

  async #names(firstPage: number, count: number): Promise<PackName[]> {
    const pageCount = Math.ceil(count / NAMES_PER_PAGE)
    if (pageCount > MOST_LIST_PAGES) throw new VarveError('HOSTILE', `${this.#where}: a list without end`)
    const pages = pageCount === 0 ? [] : await this.#pages(firstPage, pageCount)
    return pages.flatMap((page, i) => readNames(page, Math.min(NAMES_PER_PAGE, count - i * NAMES_PER_PAGE)))
  }

  /** Pages that follow each other, in one read where one of them is not in memory. */
  async #pages(first: number, count: number): Promise<Buffer[]> {
    const known = Array.from({ length: count }, (_, i) => this.#memory.get(`${this.#name}/${first + i}`))
    if (known.every((page) => page !== undefined)) return known
    const range = { start: first * PAGE_BYTES, endExclusive: (first + count) * PAGE_BYTES }
    const mostBytes = count * PAGE_BYTES
    const bytes = await readWhole(this.#remote, segmentKey(this.#name), {
      mostBytes,
      range,
      signal: this.#signal,
    })
    if (bytes.length !== mostBytes) throw new VarveError('CORRUPT', `${this.#where}: cut short`)
    return known.map((_, i) => {
      const page = checkedPage(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES), this.#where)
      this.#memory.keep(`${this.#name}/${first + i}`, page)
      return page
    })
  }
}

type RemoteSegmentOptions = {
  remote: Remote
  file: ListedFile<SegmentName>
  memory: PageMemory
  signal?: AbortSignal | undefined
}

function whereOf({ remote, file }: RemoteSegmentOptions): string {
  return `${remote.label}: ${segmentKey(file.name)}`
}

function checkedPage(page: Buffer, where: string): Buffer {
  verifyPage(page, where)
  return page
}

/** What to say of a failure to read a segment, of the remote's or its copy's. */
export function damagedSegment(remote: Remote, name: SegmentName, error: unknown): unknown {
  if (!(error instanceof VarveError) || !['CORRUPT', 'MALFORMED', 'HOSTILE'].includes(error.code))
    return error
  const key = segmentKey(name)
  return new VarveError(error.code, `${remote.label}: ${key} is damaged: ${error.message}`, {
    hint: `Run the command again; if it stays so, remove ${key} from the remote.`,
    cause: error,
  })
}
