import pLimit from 'p-limit'
import { type ContentId, contentIdFromDigest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { PACK_HEADER_BYTES, type PackName } from '../format/pack.ts'
import type { RecordPack } from '../format/root-record.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { PathFilter } from '../path-filter.ts'
import type { OnProgress } from '../progress.ts'
import type { SealedPack } from '../store/pack-writer.ts'
import { RowBuffer } from '../store/row-buffer.ts'
import type { Store } from '../store/store.ts'
import { packKey, temporaryFolder } from '../store/store-layout.ts'
import { sweepTemporaries } from '../store/temporary-files.ts'
import type { Workers } from '../workers/workers.ts'
import { chooseReads } from './choose-reads.ts'
import { describePack } from './describe-pack.ts'
import { findMissing, type MissingEntries, type MissingEntry } from './missing-entries.ts'
import { PackTables } from './pack-tables.ts'
import { receivePacks } from './receive-packs.ts'
import { type PackRange, receiveRanges } from './receive-ranges.ts'
import type { RemoteView } from './remote-view.ts'

export type VersionToFetch = {
  path: string
  /** Undefined for a part that no pointer names. */
  id: ContentId
  entry: TreeEntry
  filter: PathFilter
}

export type FetchOptions = {
  store: Store
  view: RemoteView
  workers: Workers
  versions: readonly VersionToFetch[]
  jobs: number
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

export type FetchedBytes = { packs: number; bytes: number }

/**
 * Brings what the store lacks of some versions. Metadata comes first, in whole packs that are kept; then only the
 * data that is missing, as whole packs where most of one is wanted and else as ranges. Everything is verified.
 * @throws MISSING_BYTES when the remote lacks some of it; CORRUPT
 */
export async function fetchVersions(options: FetchOptions): Promise<FetchedBytes> {
  const fetcher = new Fetcher(options)
  return fetcher.run()
}

/** What arrived is indexed once it has so many rows, so that a kill costs little of it. */
const ROWS_PER_CHECKPOINT = 200_000

class Fetcher {
  readonly #options: FetchOptions
  readonly #tables: PackTables
  readonly #fetched = { packs: 0, bytes: 0 }
  #rows = new RowBuffer()
  #indexIsFresh = false

  constructor(options: FetchOptions) {
    this.#options = options
    this.#tables = new PackTables(options.view)
  }

  async run(): Promise<FetchedBytes> {
    const { store } = this.#options
    if (isComplete(this.#missing())) return this.#fetched
    sweepTemporaries(temporaryFolder(store.root))
    try {
      await this.#fetchByRecords()
    } catch (error) {
      // A pack that a record names may have gone since; the index may know of another that holds the same.
      if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
    }
    await this.#fetchByIndex()
    return this.#fetched
  }

  async #fetchByRecords(): Promise<void> {
    const packs = this.#packsOfRecords()
    await this.#fetchWhole(this.#notHere(packs.filter((pack) => pack.class === 'metadata')))
    const missing = this.#missing()
    if (missing.metadata.length > 0) return
    await this.#fetchData(
      missing,
      packs.filter((pack) => pack.class === 'data'),
    )
  }

  #missing(): MissingEntries {
    return findMissing(this.#options.store, this.#options.versions)
  }

  #notHere(packs: readonly RecordPack[]): RecordPack[] {
    const { store } = this.#options
    const indexed = store.index.packs()
    return packs.filter(({ name }) => !indexed.has(name) || !store.packs.has(name))
  }

  /** The packs that this repository's records name for the versions. */
  #packsOfRecords(): RecordPack[] {
    const packs = new Map<PackName, RecordPack>()
    for (const { id } of this.#options.versions) {
      for (const { record, pointer } of this.#options.view.holdersOf(id)) {
        for (const index of pointer.packs) packs.set(record.packs[index]!.name, record.packs[index]!)
        // The newest record of the whole version names all of it; those of parts add up.
        if (pointer.only === undefined) break
      }
    }
    return [...packs.values()]
  }

  async #fetchData(missing: MissingEntries, packs: readonly RecordPack[]): Promise<void> {
    if (missing.chunks.length === 0) return
    const { versions } = this.#options
    const isMostMissing = missing.chunks.length * 2 > missing.wantedChunks
    const isWholeWanted = versions.every(({ filter, path }) => filter.matchesAllBelow(path))
    // Packs that hold more than the versions weigh have other things in them: their tables tell what to read.
    const wantedBytes = versions.reduce(
      (sum, { entry }) => sum + (entry.kind === 'link' ? 0 : entry.sizeBytes),
      0,
    )
    const heldBytes = packs.reduce(
      (sum, pack) => sum + pack.sizeBytes - pack.tailBytes - PACK_HEADER_BYTES,
      0,
    )
    if (isMostMissing && isWholeWanted && wantedBytes >= heldBytes) {
      await this.#fetchWhole(this.#notHere(packs))
      return
    }
    const tables = await this.#tables.readAll(packs, this.#options.jobs)
    const { whole, ranges } = chooseReads(missing.chunks, tables)
    await this.#fetchWhole(whole)
    await this.#fetchRanges(ranges)
  }

  /** What the records did not tell of is looked up in the remote's index, level by level of trees and recipes. */
  async #fetchByIndex(): Promise<void> {
    const { view, jobs } = this.#options
    for (;;) {
      const missing = this.#missing()
      if (isComplete(missing)) return
      const wanted = [...missing.metadata, ...missing.chunks]
      const packsBefore = this.#fetched.packs
      const packs = await this.#locate(wanted)
      await this.#fetchWhole(this.#notHere(packs.filter((pack) => pack.class === 'metadata')))
      const tables = await this.#tables.readAll(
        packs.filter((pack) => pack.class === 'data'),
        jobs,
      )
      // Metadata too: a listing that is byte for byte a file may lie where the file does.
      const { whole, ranges } = chooseReads(wanted, tables)
      await this.#fetchWhole(whole)
      await this.#fetchRanges(ranges)
      if (this.#fetched.packs === packsBefore) throw lacks(view.remote.label, wanted)
    }
  }

  /** Every pack that the index names for these entries and that is there: of two recipes one may be a lie. */
  async #locate(wanted: readonly MissingEntry[]): Promise<RecordPack[]> {
    const { view, jobs, signal } = this.#options
    if (!this.#indexIsFresh) await view.refreshIndex(signal)
    this.#indexIsFresh = true
    const names = new Set<PackName>()
    for (const { kind, digest } of wanted) {
      const isThere = view.index.has(kind, digest)
      for (const { pack } of view.index.findAll(isThere ? kind : 'recipe', digest)) names.add(pack)
    }
    const limit = pLimit(jobs)
    const describe = async (name: PackName) => {
      const entry = await view.remote.stat(packKey(name))
      return entry === undefined ? [] : [await describePack(view.remote, name, entry.sizeBytes)]
    }
    return (await Promise.all([...names].map((name) => limit(() => describe(name))))).flat()
  }

  #fetchWhole(packs: readonly RecordPack[]): Promise<void> {
    const { store, view, workers, jobs, signal } = this.#options
    const bytesTotal = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const events = this.#events(bytesTotal)
    const receiving = receivePacks({ remote: view.remote, store, workers, packs, jobs, signal, ...events })
    return receiving.finally(() => this.#index())
  }

  #fetchRanges(ranges: readonly PackRange[]): Promise<void> {
    const { store, view, jobs, signal } = this.#options
    const bytesTotal = ranges.reduce((sum, range) => sum + (range.endExclusive - range.start), 0)
    const events = this.#events(bytesTotal)
    const receiving = receiveRanges({ remote: view.remote, store, ranges, jobs, signal, ...events })
    return receiving.finally(() => this.#index())
  }

  #events(bytesTotal: number): { onPack: (pack: SealedPack) => void; onBytes: (count: number) => void } {
    let bytesDone = 0
    return {
      onPack: (pack) => this.#keep(pack),
      onBytes: (count) => {
        bytesDone += count
        this.#fetched.bytes += count
        this.#options.onProgress?.({ phase: 'fetching', bytesDone, bytesTotal })
      },
    }
  }

  #keep(pack: SealedPack): void {
    this.#fetched.packs++
    this.#rows.addPack(pack.name, pack.rows)
    if (this.#rows.count >= ROWS_PER_CHECKPOINT) this.#index()
  }

  /** Makes findable what arrived: after a failure too, so that the next fetch need not bring it again. */
  #index(): void {
    this.#options.store.index.add(this.#rows)
    this.#rows = new RowBuffer()
  }
}

function isComplete(missing: MissingEntries): boolean {
  return missing.metadata.length === 0 && missing.chunks.length === 0
}

function lacks(label: string, missing: readonly MissingEntry[]): VarveError {
  const [first] = missing
  const more = missing.length > 1 ? ` (and ${missing.length - 1} more objects)` : ''
  return new VarveError(
    'MISSING_BYTES',
    `${label} lacks ${first!.kind} ${contentIdFromDigest(first!.digest)} of ${first!.path}${more}`,
    { hint: 'Run `varve push --all` in a clone that has it.' },
  )
}
