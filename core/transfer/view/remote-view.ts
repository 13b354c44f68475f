import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentId } from '../../content-id.ts'
import type { PackName } from '../../format/pack.ts'
import type { RecordId, RecordPack, RootRecord } from '../../format/root-record.ts'
import type { Remote } from '../../remote.ts'
import type { IndexSet } from '../../store/index-set.ts'
import { writeFileDurably } from '../../store/write-file-durably.ts'
import { checkRemoteFormat, ensureRemoteFormat } from '../objects/remote-format.ts'
import type { OnMended } from '../objects/until-undamaged.ts'
import type { Holder } from './group-holders.ts'
import { type IndexLimits, RemoteIndex } from './remote-index.ts'
import { RemoteRecords } from './remote-records.ts'
import { RemoteSamples } from './remote-samples.ts'

export type RemoteViewOptions = {
  remote: Remote
  folder: string
  repositoryId: string
  isRehearsal?: boolean
  onMended?: OnMended | undefined
  /** How much of an index is kept here, and where samples begin. */
  indexLimits?: Partial<IndexLimits>
}

/**
 * What this clone knows of a remote: its index segments and this repository's final records, kept by name in a folder.
 * Both are immutable, so asking for what is new is a listing, and the listing is what counts: what it lacks is dropped.
 */
export class RemoteView {
  readonly remote: Remote
  readonly folder: string
  readonly segments: RemoteIndex
  readonly samples: RemoteSamples
  readonly roots: RemoteRecords
  readonly #options: RemoteViewOptions
  #isPrepared = false

  constructor(options: RemoteViewOptions) {
    const { remote, folder, indexLimits: limits, onMended } = options
    this.#options = options
    this.remote = remote
    this.folder = folder
    this.segments = new RemoteIndex({ remote, folder, limits, onMended })
    this.samples = new RemoteSamples({ remote, root: this.segments.sampleFolder })
    this.roots = new RemoteRecords(options)
  }

  /** The same, for a push that only finds out what it would do: through `remote`, and without a note of its own. */
  rehearsal(remote: Remote): RemoteView {
    return new RemoteView({ ...this.#options, remote, isRehearsal: true })
  }

  /** Told of what had arrived damaged, once it is here. */
  get onMended(): OnMended | undefined {
    return this.#options.onMended
  }

  /** The final records of this repository, as of the last refresh. */
  get records(): ReadonlyMap<RecordId, RootRecord> {
    return this.roots.all
  }

  /** What they say of packs. */
  get recordedPacks(): ReadonlyMap<PackName, RecordPack> {
    return this.roots.packs
  }

  /** The remote's index, or the part of it that is kept here, as of the last refresh. */
  get index(): IndexSet {
    return this.segments.set
  }

  /** Whether the remote's index is too large to be here as a whole. */
  get isPartial(): boolean {
    return this.segments.absent.length > 0
  }

  /** The records that say that the whole version `id` is there, newest first; then those that say it of a part. */
  holdersOf(id: ContentId): readonly Holder[] {
    return this.roots.holdersOf(id)
  }

  /** Whether a push of the whole version is known to be complete. */
  holdsWhole(id: ContentId): boolean {
    const [holder] = this.holdersOf(id)
    return holder !== undefined && holder.pointer.only === undefined
  }

  /** The newest record that has the whole version or, where there is none, just the part `only` of it. */
  holderOf(id: ContentId, only: readonly string[] | undefined): Holder | undefined {
    const holders = this.holdersOf(id)
    if (this.holdsWhole(id)) return holders[0]
    const wanted = only && JSON.stringify([...only].sort())
    return holders.find(({ pointer }) => JSON.stringify([...(pointer.only ?? [])].sort()) === wanted)
  }

  /**
   * Whether the remote may have buried a pack of this name, so that it is not to be used again. Not all tombstones are
   * known where the index is not: then one that this repository had there before is taken for buried.
   */
  mayBeBuried(pack: PackName): boolean {
    if (this.segments.isTombstoned(pack)) return true
    return this.isPartial && this.recordedPacks.has(pack)
  }

  /** Before the first push from this clone: makes the place a remote, or checks that it is one. */
  async prepare(): Promise<void> {
    if (this.#isPrepared || existsSync(this.#preparedNote)) return
    await ensureRemoteFormat(this.remote)
    this.#isPrepared = true
    if (!this.#options.isRehearsal) writeFileDurably(this.#preparedNote, '')
  }

  /** Lists this repository's records, and fetches those that are new. */
  async refreshRecords(signal?: AbortSignal): Promise<void> {
    const isKnown = this.records.size > 0
    const checkPlace = () =>
      checkRemoteFormat(this.remote, { wasUsed: isKnown || existsSync(this.#preparedNote) })
    await this.roots.refresh(checkPlace, signal)
  }

  /** Lists the remote's index segments, and fetches those that are new and not left there. */
  refreshIndex(signal?: AbortSignal): Promise<void> {
    return this.segments.refresh(signal)
  }

  /** Takes in a record that this clone has written. */
  keepRecord(id: RecordId, json: Buffer): void {
    this.roots.keep(id, json)
  }

  close(): void {
    this.segments.close()
    this.samples.close()
  }

  get #preparedNote(): string {
    return join(this.folder, 'prepared')
  }
}

export function recordKey(repositoryId: string, id: RecordId): string {
  return `roots/${repositoryId}/${id}.final`
}

export function intentKey(repositoryId: string, id: RecordId): string {
  return `roots/${repositoryId}/${id}.intent`
}
