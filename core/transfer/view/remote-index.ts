import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../content-id.ts'
import type { EntryKind, PackName } from '../../format/pack.ts'
import type { SegmentName } from '../../format/segment.ts'
import type { Remote } from '../../remote.ts'
import { makeFolder, publishFile } from '../../store/durable.ts'
import { IndexSet } from '../../store/index-set.ts'
import type { RowBuffer } from '../../store/row-buffer.ts'
import { writeSegment } from '../../store/segment-writer.ts'
import { indexFolder, sampleKey, segmentKey, segmentPath, temporaryFolder } from '../../store/store-layout.ts'
import { sweepTemporaries, temporaryPath } from '../../store/temporary-files.ts'
import { verifySegment } from '../../store/verify-segment.ts'
import { fetchAll, type ListedFile, listFiles, untilAllThere } from '../objects/listed-files.ts'
import { readIntoFile } from '../objects/read-whole.ts'
import type { OnMended } from '../objects/until-undamaged.ts'
import { buildMerged } from './build-merged.ts'
import { chooseSegments, KEPT_LIMITS, type KeptLimits } from './choose-segments.ts'
import { publishSegment } from './publish-segment.ts'
import { damagedSegment, PageMemory, RemoteSegment, type SegmentHeader } from './remote-segment.ts'
import { copiesIn, isMissingFile, removeCopy, segmentNameOf, supersededByCopy } from './segment-copies.ts'

const MAX_SEGMENT_BYTES = 64 * 2 ** 30

/** A merged segment of this much is made here of what is here rather than fetched. */
const BUILD_BYTES = 256 << 10
/** A segment of this much may be left on the remote, so it has a sample that stands for it. */
const SAMPLED_BYTES = 256 << 10

export type IndexLimits = KeptLimits & { buildBytes: number; sampledBytes: number }

const LIMITS: IndexLimits = {
  ...KEPT_LIMITS,
  buildBytes: BUILD_BYTES,
  sampledBytes: SAMPLED_BYTES,
}

/**
 * The index segments of a remote, cached by name. Those that another one stands in place of do not count and are not
 * fetched. Of a large index only a part is here; samples stand for the rest.
 */
export class RemoteIndex {
  readonly #remote: Remote
  readonly #folder: string
  readonly #limits: IndexLimits
  readonly #onMended: OnMended | undefined
  readonly #memory = new PageMemory()
  #listed = new Map<SegmentName, ListedFile<SegmentName>>()
  /** The segments that are here and listed. */
  readonly #here = new Set<SegmentName>()
  /** What listed segments supersede: of those that are here, and of others whose header was read. */
  readonly #superseded = new Map<SegmentName, SegmentName[]>()
  #changeCount = 0
  #set: IndexSet | undefined
  #headers: IndexSet | undefined

  constructor(options: {
    remote: Remote
    folder: string
    limits?: Partial<IndexLimits> | undefined
    onMended?: OnMended | undefined
  }) {
    this.#remote = options.remote
    this.#folder = options.folder
    this.#limits = { ...LIMITS, ...options.limits }
    this.#onMended = options.onMended
  }

  /** Merges and removals on the remote, by this process. */
  get changeCount(): number {
    return this.#changeCount
  }

  /** The segments that are here, as of the last refresh. */
  get set(): IndexSet {
    this.#set ??= new IndexSet(this.#folder)
    return this.#set
  }

  /** As of the last refresh. */
  get listed(): ReadonlyMap<SegmentName, ListedFile<SegmentName>> {
    return this.#listed
  }

  /** Segments that are here and count. */
  get present(): ListedFile<SegmentName>[] {
    return this.#live().filter(({ name }) => this.#here.has(name))
  }

  /** Segments that count, as far as is known, and that are not here. */
  get absent(): ListedFile<SegmentName>[] {
    return this.#live().filter(({ name }) => !this.#here.has(name))
  }

  /** Whether a segment that is here, or whose header is, says that the pack is gone. */
  isTombstoned(pack: PackName): boolean {
    this.#headers ??= new IndexSet(this.#headerFolder)
    return this.set.isTombstoned(pack) || this.#headers.isTombstoned(pack)
  }

  /** Listed segments that another one supersedes; with that one. */
  *replaced(): Generator<{ old: SegmentName; by: ListedFile<SegmentName> }> {
    for (const [name, olds] of this.#superseded) {
      const by = this.#listed.get(name)
      if (by === undefined) continue
      for (const old of olds) if (this.#listed.has(old)) yield { old, by }
    }
  }

  /** Lists the segments, and fetches those that are new. */
  async refresh(signal?: AbortSignal): Promise<void> {
    makeFolder(indexFolder(this.#folder))
    sweepTemporaries(temporaryFolder(this.#folder))
    await untilAllThere(async () => {
      this.#listed = await listFiles(this.#remote, 'index/', segmentNameOf)
      const cached = new Set(copiesIn(this.#folder))
      this.#readCached(cached)
      const fresh = await this.#choose(signal)
      const areAllThere = await fetchAll(fresh, (file) => this.#bring(file, signal), this.#onMended)
      const isReplaced = this.#dropOld(cached)
      if (fresh.length > 0 || isReplaced) this.#reopen()
      return areAllThere
    })
  }

  /** Reads the headers of segments that are not here; those that are gone are passed over. */
  async readHeaders(files: readonly ListedFile<SegmentName>[], signal?: AbortSignal): Promise<boolean> {
    const unknown = files.filter(({ name }) => !this.#superseded.has(name))
    const areAllThere = await fetchAll(unknown, async (file) => {
      const { superseded, tombstones } = await this.#readHeader(file, signal)
      const stub = { rows: [], mostRows: 0, packs: [], superseded, tombstones, standsFor: file.name }
      writeSegment(this.#headerFolder, stub)
      this.#superseded.set(file.name, superseded)
    })
    if (unknown.length > 0) this.#reopen()
    return areAllThere
  }

  /** Fetches those of the segments that were left on the remote. @throws NOT_FOUND */
  async fetch(names: readonly SegmentName[], signal?: AbortSignal): Promise<void> {
    const absent = names.filter((name) => !this.#here.has(name))
    for (const name of absent) await this.#download(this.#listed.get(name)!, signal)
    if (absent.length > 0) this.#reopen()
  }

  /** Whether a segment of this size has a sample. */
  isSampled(sizeBytes: number): boolean {
    return sizeBytes >= this.#limits.sampledBytes
  }

  /** Writes the rows of a push, there and here. */
  async write(rows: RowBuffer, signal?: AbortSignal): Promise<void> {
    const content = { rows: rows.sorted(), mostRows: rows.count, packs: rows.packs }
    await this.#publish((scratch) => writeSegment(scratch, content), signal)
  }

  /** Writes one segment in place of several that are here, there and here. */
  async merge(names: readonly SegmentName[], signal?: AbortSignal): Promise<void> {
    const here = new Set(this.set.names)
    // Another process that uses the same copies may have dropped one.
    if (!names.every((name) => here.has(name))) return
    const isListed = (name: SegmentName) => this.#listed.has(name)
    await this.#publish((scratch) => this.set.merge(scratch, { names, isListed }), signal)
    this.#changeCount++
  }

  /** The packs in which segments that are not here have an entry. Costs some requests for each of them. */
  async packsElsewhere(
    kinds: readonly EntryKind[],
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<Set<PackName>> {
    const packs = new Set<PackName>()
    await fetchAll(this.absent, (file) =>
      this.#withRemote(file, signal, async (segment) => {
        for (const kind of kinds) for (const pack of await segment.packsOf(kind, digest)) packs.add(pack)
      }),
    )
    return packs
  }

  /** Removes a segment, and its sample, from the remote. */
  async remove(name: SegmentName): Promise<void> {
    await this.#remote.remove(segmentKey(name))
    const { sizeBytes } = this.#listed.get(name)!
    if (this.isSampled(sizeBytes)) await this.#remote.remove(sampleKey(name))
    this.#listed.delete(name)
    this.#changeCount++
  }

  close(): void {
    this.#reopen()
  }

  /** A store-like root of segments that say where entries lie in packs of which a table was read. */
  get knownFolder(): string {
    return join(this.#folder, 'known')
  }

  /** Where samples of absent segments are kept. */
  get sampleFolder(): string {
    return join(this.#folder, 'sample')
  }

  get #headerFolder(): string {
    return join(this.#folder, 'headers')
  }

  async #publish(make: (scratch: string) => SegmentName, signal: AbortSignal | undefined): Promise<void> {
    const isSampled = (sizeBytes: number) => this.isSampled(sizeBytes)
    await publishSegment(this.#remote, { folder: this.#folder, make, isSampled, signal })
    this.#reopen()
  }

  #reopen(): void {
    this.#set?.close()
    this.#set = undefined
    this.#headers?.close()
    this.#headers = undefined
  }

  #live(): ListedFile<SegmentName>[] {
    const superseded = this.#supersededNames()
    return [...this.#listed.values()].filter(({ name }) => !superseded.has(name))
  }

  #supersededNames(): Set<SegmentName> {
    return new Set([...this.#superseded.values()].flat())
  }

  /** A copy that cannot be opened goes, and is fetched again. */
  #readCached(cached: Set<SegmentName>): void {
    this.#here.clear()
    this.#superseded.clear()
    for (const name of copiesIn(this.#headerFolder)) {
      const isOf = this.#listed.has(name) && !cached.has(name)
      if (!isOf || !this.#readCopy(this.#headerFolder, name)) removeCopy(this.#headerFolder, name)
    }
    for (const name of cached) {
      if (!this.#listed.has(name)) continue
      if (this.#readCopy(this.#folder, name)) this.#here.add(name)
      else cached.delete(name)
    }
  }

  #readCopy(root: string, name: SegmentName): boolean {
    const superseded = supersededByCopy(root, name)
    if (superseded !== undefined) this.#superseded.set(name, superseded)
    return superseded !== undefined
  }

  /** What to fetch. What was written later than that may be in its place: only the headers tell. */
  async #choose(signal: AbortSignal | undefined): Promise<ListedFile<SegmentName>[]> {
    for (;;) {
      const { chosen, later } = chooseSegments(this.#live(), this.#limits)
      const fresh = chosen.filter(({ name }) => !this.#here.has(name))
      const unread = later.filter(({ name }) => !this.#superseded.has(name))
      if (unread.length === 0 || !(await this.readHeaders(unread, signal))) return fresh
    }
  }

  #readHeader(file: ListedFile<SegmentName>, signal: AbortSignal | undefined): Promise<SegmentHeader> {
    return this.#withRemote(file, signal, (segment) => segment.header())
  }

  async #withRemote<T>(
    file: ListedFile<SegmentName>,
    signal: AbortSignal | undefined,
    use: (segment: RemoteSegment) => Promise<T>,
  ): Promise<T> {
    try {
      const options = { remote: this.#remote, file, memory: this.#memory, signal }
      return await use(await RemoteSegment.open(options))
    } catch (error) {
      throw damagedSegment(this.#remote, file.name, error)
    }
  }

  async #bring(file: ListedFile<SegmentName>, signal: AbortSignal | undefined): Promise<void> {
    if (this.#supersededNames().has(file.name)) return
    if (file.sizeBytes >= this.#limits.buildBytes) {
      const header = await this.#readHeader(file, signal)
      if (buildMerged(this.#folder, file.name, header)) {
        this.#take(file.name, header.superseded)
        return
      }
    }
    await this.#download(file, signal)
  }

  #take(name: SegmentName, superseded: SegmentName[]): void {
    this.#here.add(name)
    this.#superseded.set(name, superseded)
    removeCopy(this.#headerFolder, name)
  }

  async #download({ name }: ListedFile<SegmentName>, signal: AbortSignal | undefined): Promise<void> {
    const temporary = temporaryPath(temporaryFolder(this.#folder))
    const key = segmentKey(name)
    try {
      await readIntoFile(this.#remote, key, { path: temporary, mostBytes: MAX_SEGMENT_BYTES, signal })
      const superseded = this.#verified(name, temporary)
      publishFile(temporary, segmentPath(this.#folder, name))
      this.#take(name, superseded)
    } finally {
      rmSync(temporary, { force: true })
    }
  }

  /** Once it is in the cache, one that cannot be opened would stop every command. */
  #verified(name: SegmentName, path: string): SegmentName[] {
    try {
      return verifySegment(path, name)
    } catch (error) {
      throw damagedSegment(this.#remote, name, error)
    }
  }

  /**
   * Copies that are listed no more, or superseded, go. One that is unlisted where only a part of the index is here was
   * paid for, and is still true but for packs that have gone, which a push looks at anyway: it moves to what is known.
   */
  #dropOld(cached: ReadonlySet<SegmentName>): boolean {
    const superseded = this.#supersededNames()
    const isPartial = this.absent.length > 0
    let isReplaced = false
    for (const name of cached) {
      const isListed = this.#listed.has(name)
      if (isListed && !(superseded.has(name) && this.#isReplacedHere(name))) continue
      if (isPartial && !isListed && !this.#isReplacedHere(name)) this.#moveToKnown(name)
      else removeCopy(this.#folder, name)
      this.#here.delete(name)
      isReplaced = true
    }
    return isReplaced
  }

  /** Superseded by one that is here: else the copy is still the best there is. */
  #isReplacedHere(name: SegmentName): boolean {
    for (const here of this.#here) if (this.#superseded.get(here)!.includes(name)) return true
    return false
  }

  #moveToKnown(name: SegmentName): void {
    makeFolder(indexFolder(this.knownFolder))
    try {
      renameSync(segmentPath(this.#folder, name), segmentPath(this.knownFolder, name))
    } catch (error) {
      if (!isMissingFile(error)) throw error
    }
  }
}
