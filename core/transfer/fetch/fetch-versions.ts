import { type ContentId, contentIdFromDigest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import { PACK_HEADER_BYTES } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import type { TreeEntry } from '../../format/tree.ts'
import type { PathFilter } from '../../path-filter.ts'
import type { OnProgress } from '../../progress.ts'
import type { Store } from '../../store/store.ts'
import { temporaryFolder } from '../../store/store-layout.ts'
import { sweepTemporaries } from '../../store/temporary-files.ts'
import type { Workers } from '../../workers/workers.ts'
import { PackTables } from '../view/pack-tables.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { chooseReads } from './choose-reads.ts'
import { locateByIndex } from './locate-by-index.ts'
import {
  findMissing,
  findMissingMetadata,
  type MissingEntries,
  type MissingEntry,
} from './missing-entries.ts'
import { packsOfRecords } from './packs-of-records.ts'
import { type FetchedBytes, StoreReceiver } from './store-receiver.ts'

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
  /** Of files nothing but how they are put together: recipes. */
  metadataOnly?: boolean | undefined
  jobs: number
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/**
 * Brings what the store lacks of some versions. Metadata comes first, in whole packs that are kept; then only the
 * data that is missing, as whole packs where most of one is wanted and else as ranges. Everything is verified.
 * @throws MISSING_BYTES when the remote lacks some of it; CORRUPT
 */
export async function fetchVersions(options: FetchOptions): Promise<FetchedBytes> {
  const fetcher = new Fetcher(options)
  return fetcher.run()
}

class Fetcher {
  readonly #options: FetchOptions
  readonly #tables: PackTables
  readonly #receiver: StoreReceiver
  #indexIsFresh = false

  constructor(options: FetchOptions) {
    this.#options = options
    this.#tables = new PackTables(options.view)
    this.#receiver = new StoreReceiver(options)
  }

  async run(): Promise<FetchedBytes> {
    const { store, metadataOnly } = this.#options
    // Which blobs have no recipe, being one chunk, can be told only where all metadata of the version is.
    if (!metadataOnly && isComplete(this.#missing())) return this.#receiver.fetched
    sweepTemporaries(temporaryFolder(store.root))
    try {
      await this.#fetchByRecords()
    } catch (error) {
      // A pack that a record names may have gone since; the index may know of another that holds the same.
      if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
    }
    await this.#fetchByIndex()
    return this.#receiver.fetched
  }

  async #fetchByRecords(): Promise<void> {
    const { view, versions } = this.#options
    const packs = packsOfRecords(
      view,
      versions.map(({ id }) => id),
    )
    await this.#receiver.fetchWhole(this.#receiver.notHere(packs.filter((pack) => pack.class === 'metadata')))
    const missing = this.#missing()
    if (missing.metadata.length > 0) return
    await this.#fetchData(
      missing,
      packs.filter((pack) => pack.class === 'data'),
    )
  }

  #missing(): MissingEntries {
    const { store, versions, metadataOnly } = this.#options
    if (!metadataOnly) return findMissing(store, versions)
    return { metadata: findMissingMetadata(store, versions), chunks: [], wantedChunks: 0 }
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
      await this.#receiver.fetchWhole(this.#receiver.notHere(packs))
      return
    }
    const tables = await this.#tables.readAll(packs, this.#options.jobs)
    const { whole, ranges } = chooseReads(missing.chunks, tables)
    await this.#receiver.fetchWhole(whole)
    await this.#receiver.fetchRanges(ranges)
  }

  /** What the records did not tell of is looked up in the remote's index, level by level of trees and recipes. */
  async #fetchByIndex(): Promise<void> {
    const { view, jobs } = this.#options
    for (;;) {
      const missing = this.#missing()
      if (isComplete(missing)) return
      const wanted = [...missing.metadata, ...missing.chunks]
      const packsBefore = this.#receiver.fetched.packs
      const packs = await this.#locate(wanted)
      await this.#receiver.fetchWhole(
        this.#receiver.notHere(packs.filter((pack) => pack.class === 'metadata')),
      )
      const tables = await this.#tables.readAll(
        packs.filter((pack) => pack.class === 'data'),
        jobs,
      )
      // Metadata too: a listing that is byte for byte a file may lie where the file does.
      const { whole, ranges } = chooseReads(wanted, tables)
      await this.#receiver.fetchWhole(whole)
      await this.#receiver.fetchRanges(ranges)
      if (this.#receiver.fetched.packs === packsBefore) throw lacks(view.remote.label, wanted)
    }
  }

  async #locate(wanted: readonly MissingEntry[]): Promise<RecordPack[]> {
    const { view, signal } = this.#options
    if (!this.#indexIsFresh) await view.refreshIndex(signal)
    this.#indexIsFresh = true
    return locateByIndex(view, wanted, signal)
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
