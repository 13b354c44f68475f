import { rmSync } from 'node:fs'
import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import type { PackName } from '../../format/pack.ts'
import type { RecordId, RecordKind, RecordPack } from '../../format/root-record.ts'
import type { OnProgress } from '../../progress.ts'
import { publishFile } from '../../store/durable.ts'
import type { Store } from '../../store/store.ts'
import { packKey, packPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import { throwIfAborted } from '../../workers/workers.ts'
import { describePack } from '../objects/describe-pack.ts'
import { packSizes } from '../objects/pack-sizes.ts'
import { intentKey, type RemoteView } from '../view/remote-view.ts'
import { type OutgoingPack, outgoingPacks, readTail } from './outgoing-packs.ts'
import { notePublishingDue, publishAfterPush } from './publish-if-due.ts'
import { type PlannedVersion, PushPlanner, type VersionToPush } from './push-planner.ts'
import { VerifiedKnowledge } from './remote-knowledge.ts'
import { SendingProgress } from './sending-progress.ts'
import { SentJournal } from './sent-journal.ts'
import { tidyRemote } from './tidy-remote.ts'
import { writePushRecord } from './write-push-record.ts'
import { writePushSegments } from './write-push-segments.ts'

const REQUESTS_AT_ONCE = 8

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
  await options.view.prepare()
  const scratch = temporaryPath(temporaryFolder(options.view.folder))
  const journal = await SentJournal.open(options.view, scratch)
  const knowledge = new VerifiedKnowledge({ ...options, journal })
  try {
    return await new Push(options, { journal, knowledge, scratch }).run()
  } finally {
    knowledge.close()
    journal.close()
    rmSync(scratch, { recursive: true, force: true })
  }
}

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
  readonly #described = new Map<PackName, RecordPack>()
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
    await this.#writeSegments()
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
      // A pack of another size than its record says is as good as gone: it was cut short on its way.
      const isWhole = (name: PackName) => {
        const sizeBytes = sizes.get(name)
        return sizeBytes !== undefined && sizeBytes === (this.#known(name)?.sizeBytes ?? sizeBytes)
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
    const limit = pLimit(REQUESTS_AT_ONCE)
    const describe = async (name: PackName) => {
      const sizeBytes = sizes.get(name)
      if (sizeBytes === undefined) throw vanished(this.#options.view.remote.label, name)
      return this.#known(name) ?? (await limit(() => this.#describe(name, sizeBytes)))
    }
    return Promise.all([...names].map(describe))
  }

  /** What an earlier push, or this repository's records, say of a pack. */
  #known(name: PackName): RecordPack | undefined {
    const { view } = this.#options
    return this.#journal.packs.get(name) ?? view.recordedPacks.get(name) ?? this.#described.get(name)
  }

  /** A pack that another repository pushed: its header and footer say what it is. */
  async #describe(name: PackName, sizeBytes: number): Promise<RecordPack> {
    const pack = await describePack(this.#options.view.remote, name, sizeBytes)
    this.#described.set(name, pack)
    return pack
  }

  async #writeRecord(
    kind: RecordKind,
    packs: readonly RecordPack[],
    planned: readonly PlannedVersion[],
  ): Promise<{ id: RecordId; json: Buffer }> {
    const { view, repositoryId, who, commits } = this.#options
    return writePushRecord(view.remote, {
      ...{ kind, repositoryId, who, packs, planned },
      sent: this.#sent,
      commits: this.#unavailable.length === 0 ? commits : [],
    })
  }

  /** What an earlier push sent counts, where no segment has it yet. */
  #writeSegments(): Promise<void> {
    const { view, isRehearsal, signal } = this.#options
    const indexed = view.index.packs()
    const found = [...this.#journal.packs.values()].filter(({ name }) => !indexed.has(name))
    return writePushSegments(view, [...found, ...this.#sent], { isRehearsal, signal })
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
