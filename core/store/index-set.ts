import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import { isSegmentName, type SegmentName } from '../format/segment.ts'
import { mergeSegments } from './merge-segments.ts'
import { PageCache } from './page-cache.ts'
import type { RowBuffer } from './row-buffer.ts'
import { type Location, SegmentReader } from './segment-reader.ts'
import { writeSegment } from './segment-writer.ts'
import { indexFolder, segmentPath } from './store-layout.ts'

/** Segments within a factor of four in rows are of one size class; this many of a class are merged into one. */
const SEGMENTS_PER_CLASS = 4
/** How long a superseded segment stays for readers that listed it before. */
const GRACE_MS = 24 * 3600 * 1000

type SegmentsToMerge = { names: readonly SegmentName[]; isListed: (name: SegmentName) => boolean }

/** All index segments under a root (the store, or the cached index of a remote), asked as one. */
export class IndexSet {
  readonly #root: string
  readonly #cache = new PageCache()
  /** The segments that count: those that no other one supersedes. */
  readonly #live = new Map<SegmentName, SegmentReader>()
  /** The same, those of most rows first: what is looked for is likely there. Replaced, never changed. */
  #largestFirst: readonly SegmentReader[] = []
  readonly #superseded = new Set<SegmentName>()
  readonly #tombstones = new Set<PackName>()

  constructor(root: string) {
    this.#root = root
    this.refresh()
  }

  get names(): SegmentName[] {
    return [...this.#live.keys()]
  }

  /** How many pages look-ups have read from files so far. */
  get pageReadCount(): number {
    return this.#cache.readCount
  }

  get rowCount(): number {
    return [...this.#live.values()].reduce((sum, segment) => sum + segment.rowCount, 0)
  }

  /**
   * Takes in segments that other processes wrote.
   * @throws CORRUPT, MALFORMED, TOO_NEW for one that cannot be read and that no other supersedes
   */
  refresh(): void {
    if (!existsSync(indexFolder(this.#root))) return
    const failures = new Map<SegmentName, VarveError>()
    for (const file of readdirSync(indexFolder(this.#root))) {
      const name = file.slice(0, -'.idx'.length)
      if (!file.endsWith('.idx') || !isSegmentName(name)) continue
      try {
        this.#open(name)
      } catch (error) {
        if (error instanceof VarveError) failures.set(name, error)
        // One that is gone since it was listed is superseded by one that was listed with it.
        else if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    for (const [name, failure] of failures) if (!this.#superseded.has(name)) throw failure
  }

  /** A place of the entry: the first of those that `findAll` gives. */
  find(kind: EntryKind, digest: Digest): Location | undefined {
    for (const segment of this.#largestFirst) {
      const location = segment.findFirst(kind, digest)
      if (location === undefined) continue
      if (!this.#tombstones.has(location.pack)) return location
      for (const other of segment.find(kind, digest)) if (!this.#tombstones.has(other.pack)) return other
    }
    return undefined
  }

  /** Every place there is: where one turns out bad, the next may be good. Nothing is to be added before it ends. */
  *findAll(kind: EntryKind, digest: Digest): Generator<Location> {
    for (const segment of this.#largestFirst) {
      for (const location of segment.find(kind, digest)) {
        if (!this.#tombstones.has(location.pack)) yield location
      }
    }
  }

  /** Whether a segment says that the pack is gone: its name is never to be used again. */
  isTombstoned(pack: PackName): boolean {
    return this.#tombstones.has(pack)
  }

  has(kind: EntryKind, digest: Digest): boolean {
    return this.find(kind, digest) !== undefined
  }

  packs(): Set<PackName> {
    const packs = new Set([...this.#live.values()].flatMap((segment) => segment.packs()))
    for (const gone of this.#tombstones) packs.delete(gone)
    return packs
  }

  /** Writes the rows of sealed packs as one new segment. */
  write(rows: RowBuffer): SegmentName {
    const name = writeSegment(this.#root, { rows: rows.sorted(), mostRows: rows.count, packs: rows.packs })
    this.#open(name)
    return name
  }

  /** Adds the rows of sealed packs, and merges segments where they have grown many. */
  add(rows: RowBuffer): void {
    if (rows.packs.length === 0) return
    this.write(rows)
    for (let crowded = this.#crowdedClass(); crowded !== undefined; crowded = this.#crowdedClass()) {
      // What is removed already needs no mention: the list would grow with every merge there ever was.
      const isThere = (name: SegmentName) => existsSync(segmentPath(this.#root, name))
      const superseded = supersededBy(crowded, isThere)
      this.#open(mergeSegments(this.#root, crowded, { gone: this.#tombstones, superseded }))
    }
    this.#removeSuperseded()
  }

  /**
   * Writes one segment below `root`, in place of these, and says that it supersedes them and, of what they superseded,
   * that which `isListed`. Only tombstones of the segments themselves leave rows out, so that the outcome depends on
   * nothing else.
   */
  merge(root: string, { names, isListed }: SegmentsToMerge): SegmentName {
    const segments = names.map((name) => this.#live.get(name)!)
    const gone = new Set(segments.flatMap(({ tombstones }) => tombstones))
    return mergeSegments(root, segments, { gone, superseded: supersededBy(segments, isListed) })
  }

  close(): void {
    for (const segment of this.#live.values()) segment.close()
    this.#live.clear()
    this.#largestFirst = []
  }

  #open(name: SegmentName): void {
    if (this.#live.has(name) || this.#superseded.has(name)) return
    const segment = new SegmentReader(segmentPath(this.#root, name), name, this.#cache)
    this.#live.set(name, segment)
    for (const pack of segment.tombstones) this.#tombstones.add(pack)
    for (const old of segment.superseded) {
      this.#superseded.add(old)
      this.#live.get(old)?.close()
      this.#live.delete(old)
    }
    this.#largestFirst = [...this.#live.values()].sort((a, b) => b.rowCount - a.rowCount)
  }

  #crowdedClass(): SegmentReader[] | undefined {
    const classes = new Map<number, SegmentReader[]>()
    for (const segment of this.#live.values()) {
      const sizeClass = Math.floor(Math.log2(segment.rowCount + 1) / 2)
      const members = classes.get(sizeClass) ?? []
      members.push(segment)
      if (members.length === SEGMENTS_PER_CLASS) return members
      classes.set(sizeClass, members)
    }
    return undefined
  }

  #removeSuperseded(): void {
    for (const segment of this.#live.values()) {
      if (segment.superseded.length === 0) continue
      const { mtimeMs } = statSync(segmentPath(this.#root, segment.name))
      if (Date.now() - mtimeMs < GRACE_MS) continue
      for (const old of segment.superseded) rmSync(segmentPath(this.#root, old), { force: true })
    }
  }
}

/** The segments themselves, and what they stood in place of. */
function supersededBy(
  segments: readonly SegmentReader[],
  isListed: (name: SegmentName) => boolean,
): SegmentName[] {
  const inherited = segments.flatMap((segment) => segment.superseded).filter(isListed)
  return [...new Set([...segments.map(({ name }) => name), ...inherited])].sort()
}
