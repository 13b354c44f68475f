import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import pLimit from 'p-limit'
import type { ContentId } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { PackName } from '../format/pack.ts'
import {
  compressRecord,
  encodeRootRecord,
  type RecordId,
  type RecordKind,
  type RecordPack,
  type RecordPointer,
  type RootRecord,
  recordIdOf,
} from '../format/root-record.ts'
import type { SegmentName } from '../format/segment.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { PathFilter } from '../path-filter.ts'
import type { OnProgress } from '../progress.ts'
import { publishFile } from '../store/durable.ts'
import { RowBuffer } from '../store/row-buffer.ts'
import type { Store } from '../store/store.ts'
import { packKey, packPath, sampleKey, segmentKey, temporaryFolder } from '../store/store-layout.ts'
import { temporaryPath } from '../store/temporary-files.ts'
import { throwIfAborted } from '../workers/workers.ts'
import { describePack } from './describe-pack.ts'
import { type OutgoingPack, outgoingPacks, readTail } from './outgoing-packs.ts'
import { packSizes } from './pack-sizes.ts'
import { notePublishingDue, publishAfterPush } from './publish-if-due.ts'
import { type Closure, type PlannedClosure, PushPlanner } from './push-planner.ts'
import { sourceOf } from './remote-format.ts'
import { VerifiedKnowledge } from './remote-knowledge.ts'
import { intentKey, type RemoteView, recordKey } from './remote-view.ts'
import { segmentBytes } from './segment-bytes.ts'
import { SendingProgress } from './sending-progress.ts'
import { SentJournal, type SentPack } from './sent-journal.ts'
import { tidyRemote } from './tidy-remote.ts'

export type VersionToPush = {
  path: string
  id: ContentId
  entry: TreeEntry
  sizeBytes: number
  /** Leaves files out, of a push of a part: `only` says which, for the record. */
  filter: PathFilter
  only: string[] | undefined
}

export type PushOptions = {
  store: Store
  view: RemoteView
  versions: readonly VersionToPush[]
  /** What to do about a version of which neither the store nor the remote has all. */
  onMissing: 'refuse' | 'leave-out'
  repositoryId: string
  who: string
  /** Commits whose whole history is there once this push is. Recorded only if no version was left out. */
  commits: readonly string[]
  jobs: number
  /** Only finds out what would be sent. `view` is then a rehearsal too: see `rehearse`. */
  isRehearsal?: boolean | undefined
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

export type PushedBytes = { packs: number; bytes: number }

/** `unavailable` are the versions that were left out. */
export type PushedVersions = PushedBytes & { unavailable: VersionToPush[] }

/**
 * Sends what the remote lacks of some versions. The order is what makes it safe without locks: an intent, packs, a
 * look at every pack leaned on, the final record, and last the index segment.
 * @throws MISSING_BYTES before anything is sent, unless such versions are to be left out; CORRUPT; REMOTE_FAILED
 */
export async function pushVersions(options: PushOptions): Promise<PushedVersions> {
  const { remote, folder } = options.view
  await options.view.prepare()
  const scratch = temporaryPath(temporaryFolder(folder))
  const journal = await SentJournal.open(join(folder, 'sent'), { remote, scratch })
  const knowledge = new VerifiedKnowledge({ ...options, journal })
  try {
    return await new Push(options, { journal, knowledge, scratch }).run()
  } finally {
    knowledge.close()
    journal.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

type PlannedVersion = { version: VersionToPush; closure: PlannedClosure }

type Plan = {
  planner: PushPlanner
  planned: PlannedVersion[]
  leanedOn: Set<PackName>
  /** Of all that is leaned on, as looked up. */
  sizes: ReadonlyMap<PackName, number>
}

class Push {
  readonly #options: PushOptions
  readonly #journal: SentJournal
  readonly #knowledge: VerifiedKnowledge
  readonly #sent: OutgoingPack[] = []
  readonly #unavailable: VersionToPush[] = []
  /** Where packs are cut: this push's own, for another may run beside it. */
  readonly #scratch: string

  constructor(
    options: PushOptions,
    parts: { journal: SentJournal; knowledge: VerifiedKnowledge; scratch: string },
  ) {
    this.#options = options
    this.#journal = parts.journal
    this.#knowledge = parts.knowledge
    this.#scratch = parts.scratch
  }

  async run(): Promise<PushedVersions> {
    const { view, repositoryId, isRehearsal } = this.#options
    const { planner, planned, leanedOn, sizes } = await this.#plan()
    const unavailable = this.#unavailable
    if (planned.length === 0 && unavailable.length > 0) return { packs: 0, bytes: 0, unavailable }
    const intent = await this.#writeRecord('intent', await this.#describeAll(leanedOn, sizes), planned)
    const bytes = await this.#sendPacks(planner)
    const leaned = await this.#describeAll(leanedOn, await packSizes(view.remote, leanedOn))
    if (!isRehearsal) notePublishingDue(view)
    const final = await this.#writeRecord('final', [...leaned, ...this.#sent], planned)
    await this.#writeSegment()
    await view.remote.remove(intentKey(repositoryId, intent.id))
    if (!isRehearsal) {
      view.keepRecord(final.id, final.json)
      this.#journal.clear()
      await tidyRemote(view, { sentBytes: bytes, signal: this.#options.signal })
    }
    await publishAfterPush(view, this.#options)
    return { packs: this.#sent.length, bytes, unavailable }
  }

  /**
   * Plans until every recipe that it relies on is read, every version is complete, and every pack that it leans on is
   * there.
   */
  async #plan(): Promise<Plan> {
    let { versions } = this.#options
    for (;;) {
      throwIfAborted(this.#options.signal)
      this.#options.onProgress?.({ phase: 'planning' })
      const planner = new PushPlanner(this.#options.store, this.#knowledge)
      const planned = versions.map((version) => ({
        version,
        closure: planner.add(version.entry, version.path, version.filter),
      }))
      if (await this.#knowledge.readUnread(this.#options.signal)) continue
      const incomplete = planned.filter(({ closure }) => !closure.isComplete)
      const sendingBytes = sendingBytesOf(planner)
      const { signal } = this.#options
      const isIncomplete = incomplete.length > 0
      if (await this.#knowledge.lookDeeper({ sendingBytes, isIncomplete, signal })) continue
      if (incomplete.length > 0) {
        if (this.#options.onMissing === 'refuse') planner.refuseMissing()
        this.#unavailable.push(...incomplete.map(({ version }) => version))
        // Made again from nothing, lest what only these need is sent.
        versions = planned.filter(({ closure }) => closure.isComplete).map(({ version }) => version)
        continue
      }
      const leanedOn = new Set(planned.flatMap(({ closure }) => [...closure.leanedOn]))
      const sizes = await packSizes(this.#options.view.remote, leanedOn)
      const known = this.#knownPacks()
      // A pack of another size than its record says is as good as gone: it was cut short on its way.
      const isWhole = (name: PackName) => {
        const sizeBytes = sizes.get(name)
        return sizeBytes !== undefined && sizeBytes === (known.get(name)?.sizeBytes ?? sizeBytes)
      }
      const gone = [...leanedOn].filter((name) => !isWhole(name))
      if (gone.length === 0) return { planner, planned, leanedOn, sizes }
      this.#knowledge.forget(gone)
    }
  }

  /** Sends the packs, several at once; while they travel the next one is cut. Gives the bytes. */
  async #sendPacks(planner: PushPlanner): Promise<number> {
    const { store, view, jobs, isRehearsal, signal } = this.#options
    const onProgress = isRehearsal ? undefined : this.#options.onProgress
    const bytesTotal = sendingBytesOf(planner)
    const progress = new SendingProgress(bytesTotal, onProgress)
    let failure: unknown
    const limit = pLimit(jobs)
    const underWay = new Set<Promise<void>>()
    const isTombstoned = (pack: PackName) => view.mayBeBuried(pack)
    try {
      const folder = this.#scratch
      for (const pack of outgoingPacks({ store, planner, folder, isTombstoned, isRehearsal })) {
        throwIfAborted(signal)
        this.#sent.push(pack)
        const sending = limit(() => this.#sendPack(pack, progress))
          .catch((error) => {
            failure ??= error
          })
          .finally(() => underWay.delete(sending))
        underWay.add(sending)
        progress.report()
        while (underWay.size > jobs) await Promise.race(underWay)
        if (failure !== undefined) break
      }
    } finally {
      await Promise.all(underWay)
      progress.end()
    }
    if (failure !== undefined) throw failure
    return progress.finishedBytes
  }

  async #sendPack(pack: OutgoingPack, progress: SendingProgress): Promise<void> {
    const { view, store, isRehearsal, signal } = this.#options
    // Before it goes: a push that is killed while, or after, it arrives finds it again.
    if (!isRehearsal) this.#journal.note(pack, readTail(pack.isCut ? this.#scratch : store.root, pack))
    const source = { sizeBytes: pack.sizeBytes, open: () => progress.open(pack) }
    await view.remote.write(packKey(pack.name), source, { ...(signal && { signal }) })
    progress.finish(pack)
    if (isRehearsal) return
    if (!pack.isCut) return
    // The recipes in a metadata pack are what the next push will want to compare.
    if (pack.class === 'metadata') publishFile(pack.path, packPath(view.folder, pack.name))
    else rmSync(pack.path)
  }

  /**
   * What a record says of packs, which have been looked up.
   * @throws REMOTE_FAILED when one is gone since the index was read
   */
  async #describeAll(
    names: ReadonlySet<PackName>,
    sizes: ReadonlyMap<PackName, number>,
  ): Promise<RecordPack[]> {
    const known = this.#knownPacks()
    return Promise.all(
      [...names].map(async (name) => {
        const sizeBytes = sizes.get(name)
        if (sizeBytes === undefined) throw vanished(this.#options.view.remote.label, name)
        return known.get(name) ?? (await this.#describe(name, sizeBytes))
      }),
    )
  }

  /** What this repository's records, and an earlier push, say of packs. */
  #knownPacks(): Map<PackName, RecordPack> {
    const known = new Map<PackName, RecordPack>()
    for (const record of this.#options.view.records.values()) {
      for (const pack of record.packs) known.set(pack.name, pack)
    }
    for (const pack of this.#journal.packs.values()) known.set(pack.name, pack)
    return known
  }

  /** A pack that another repository pushed: its header and footer say what it is. */
  #describe(name: PackName, sizeBytes: number): Promise<RecordPack> {
    return describePack(this.#options.view.remote, name, sizeBytes)
  }

  async #writeRecord(
    kind: RecordKind,
    packs: readonly RecordPack[],
    planned: readonly PlannedVersion[],
  ): Promise<{ id: RecordId; json: Buffer }> {
    const { view, repositoryId, who, commits } = this.#options
    const indexOf = new Map(packs.map((pack, index) => [pack.name, index]))
    const record: RootRecord = {
      kind,
      repository: repositoryId,
      createdAt: new Date().toISOString(),
      who,
      commits: this.#unavailable.length === 0 ? [...commits] : [],
      packs: packs.map(({ name, class: packClass, sizeBytes, tailBytes }) => ({
        name,
        class: packClass,
        sizeBytes,
        tailBytes,
      })),
      pointers: planned.map(({ version, closure }) => this.#pointer(version, closure, indexOf)),
    }
    const json = encodeRootRecord(record)
    const id = recordIdOf(json)
    const key = kind === 'final' ? recordKey(repositoryId, id) : intentKey(repositoryId, id)
    await view.remote.write(key, sourceOf(compressRecord(json)))
    return { id, json }
  }

  #pointer(version: VersionToPush, closure: Closure, indexOf: Map<PackName, number>): RecordPointer {
    const { path, id, sizeBytes, only } = version
    const sent = this.#sent.filter((pack) => [...pack.sources].some((source) => closure.sources.has(source)))
    const names = [...closure.leanedOn, ...sent.map((pack) => pack.name)]
    const packs = names.map((name) => indexOf.get(name)!).sort((a, b) => a - b)
    return { path, id, sizeBytes, ...(only === undefined ? {} : { only }), packs }
  }

  /** The commit point: from now on every repository on this remote finds these packs. */
  async #writeSegment(): Promise<void> {
    const { view } = this.#options
    const rows = new RowBuffer()
    const indexed = view.index.packs()
    const found = [...this.#journal.packs.values()].filter(({ name }) => !indexed.has(name))
    const packs: Iterable<SentPack> = [...found, ...this.#sent]
    for (const pack of packs) rows.addPack(pack.name, pack.rows)
    if (rows.packs.length === 0) return
    if (this.#options.isRehearsal) {
      await this.#rehearseSegment(rows)
      return
    }
    await view.segments.write(rows, this.#options.signal)
  }

  /** Its name tells what it holds, and here it holds nothing: any will do. */
  async #rehearseSegment(rows: RowBuffer): Promise<void> {
    const { view } = this.#options
    const name = '0'.repeat(64) as SegmentName
    const pretend = (key: string, sizeBytes: number) =>
      view.remote.write(key, { sizeBytes, open: () => Readable.from([]) })
    const packs = rows.packs.length
    const sizeBytes = segmentBytes({ rows: rows.count, packs })
    if (view.segments.isSampled(sizeBytes)) {
      await pretend(sampleKey(name), segmentBytes({ rows: Math.ceil(rows.count / 1024), packs }))
    }
    await pretend(segmentKey(name), sizeBytes)
  }
}

function sendingBytesOf(planner: PushPlanner): number {
  return [...planner.sources.values()].reduce((sum, { storedBytes }) => sum + storedBytes, 0)
}

function vanished(label: string, name: PackName): VarveError {
  return new VarveError('REMOTE_FAILED', `${label}: pack ${name} has gone since its index was read`, {
    hint: 'Run the command again: it sends what the pack held anew.',
  })
}
