import { type ContentId, contentIdFromDigest, type Digest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import type { PackEntry, PackName } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import type { ChunkBlock, ChunkSource, ChunksToRead, LocatedChunks } from '../../store/chunk-source.ts'
import { DigestSet } from '../../store/digest-set.ts'
import type { Store } from '../../store/store.ts'
import { packKey } from '../../store/store-layout.ts'
import { throwIfAborted, type Workers } from '../../workers/workers.ts'
import { MOST_COPIES } from '../objects/until-undamaged.ts'
import { type PackTable, PackTables } from '../view/pack-tables.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { rangesOf } from './choose-reads.ts'
import { locateByIndex } from './locate-by-index.ts'
import { packsOfRecords } from './packs-of-records.ts'
import { readBlocks } from './read-blocks.ts'
import type { PackRange } from './receive-ranges.ts'
import { StoreReceiver } from './store-receiver.ts'

export type RemoteChunksOptions = {
  /** Metadata that turns out to be missing goes there, and nothing else. */
  store: Store
  view: RemoteView
  workers: Workers
  /** The versions that the chunks belong to: their records say where to look first. */
  ids: readonly ContentId[]
  jobs: number
  signal?: AbortSignal | undefined
}

/** The chunks that a remote has, read from it once each and kept nowhere. Tables of packs are kept, by name. */
export class RemoteChunks implements ChunkSource {
  readonly #options: RemoteChunksOptions
  readonly #tables: PackTables
  /** The data packs that are known, in the order in which they are read. */
  readonly #packs = new Map<PackName, RecordPack>()
  /** Those that turned out not to be there. */
  readonly #gone = new Set<PackName>()
  #indexIsFresh = false

  constructor(options: RemoteChunksOptions) {
    this.#options = options
    this.#tables = new PackTables(options.view)
    this.#add(packsOfRecords(options.view, options.ids))
  }

  async locate(wanted: DigestSet): Promise<LocatedChunks | undefined> {
    for (;;) {
      const packs = new Set<PackName>()
      const found = new DigestSet()
      let storedBytes = 0
      for await (const { pack, entries } of this.#selections(wanted, this.#packs.values())) {
        packs.add(pack.name)
        for (const entry of entries) {
          found.add(entry.digest)
          storedBytes += entry.storedBytes
        }
      }
      if (found.size === wanted.size) return { packs, storedBytes }
      const missing = [...wanted].filter((digest) => !found.has(digest))
      const news = await this.#askIndex(missing)
      if (news === 'metadata') return undefined
      if (news === 'nothing') throw this.#lacks(missing)
    }
  }

  async read({ wanted, where, onBlock, signal }: ChunksToRead): Promise<void> {
    for (let left = wanted, { packs } = where; ; ) {
      const lost = await this.#readFrom(left, packs, onBlock, signal)
      if (lost.size === 0) return
      // A pack that was there when it was looked for; another one may hold the same.
      const elsewhere = await this.locate(lost)
      if (elsewhere === undefined) throw this.#lacks([...lost])
      left = lost
      packs = elsewhere.packs
    }
  }

  async readAgain(block: ChunkBlock, entries: readonly PackEntry[]): Promise<ChunkBlock> {
    const start = entries[0]!.offset
    const { offset, storedBytes } = entries.at(-1)!
    const range = { pack: block.pack, start, endExclusive: offset + storedBytes, entries: [...entries] }
    const { view, signal } = this.#options
    let again: ChunkBlock | undefined
    await readBlocks(view.remote, range, {
      copy: block.copy + 1,
      signal,
      async onBlock(one) {
        again = one
      },
    })
    return again!
  }

  tellMended(block: ChunkBlock): void {
    this.#options.view.onMended?.(this.damaged(block, block.entries[0]!))
  }

  mayReadAgain({ copy }: ChunkBlock): boolean {
    return copy < MOST_COPIES
  }

  damaged({ pack }: ChunkBlock, { digest }: PackEntry): VarveError {
    const { label } = this.#options.view.remote
    const what = `chunk ${contentIdFromDigest(digest)} is damaged: its bytes do not match its id`
    return new VarveError('CORRUPT', `${label}: pack ${pack}: ${what}`, {
      hint: `Remove ${packKey(pack)} from the remote and run \`varve push --all\` in a clone that has the data.`,
    })
  }

  #add(packs: readonly RecordPack[]): number {
    const before = this.#packs.size
    for (const pack of packs) {
      if (pack.class === 'data' && !this.#gone.has(pack.name)) this.#packs.set(pack.name, pack)
    }
    return this.#packs.size - before
  }

  /** The entries to read out of each pack: every chunk from one place. Tables come several at once. */
  async *#selections(
    wanted: DigestSet,
    packs: Iterable<RecordPack>,
  ): AsyncGenerator<{ pack: RecordPack; entries: PackEntry[] }> {
    const taken = new Uint8Array(wanted.size)
    let left = wanted.size
    const take = ({ kind, digest }: PackEntry) => {
      const index = kind === 'chunk' ? wanted.indexOf(digest) : -1
      if (index < 0 || taken[index] === 1) return false
      taken[index] = 1
      left--
      return true
    }
    for await (const { pack, entries } of this.#tablesOf(packs)) {
      const selected = entries.filter(take)
      if (selected.length > 0) yield { pack, entries: selected }
      if (left === 0) return
    }
  }

  async *#tablesOf(packs: Iterable<RecordPack>): AsyncGenerator<PackTable> {
    const { jobs, signal } = this.#options
    const waiting = [...packs].filter(({ name }) => !this.#gone.has(name))
    const underWay: Promise<PackTable | undefined>[] = []
    for (let next = 0; underWay.length > 0 || next < waiting.length; ) {
      throwIfAborted(signal)
      while (underWay.length < jobs && next < waiting.length) {
        const reading = this.#tableOf(waiting[next++]!)
        reading.catch(() => undefined)
        underWay.push(reading)
      }
      const table = await underWay.shift()!
      if (table !== undefined) yield table
    }
  }

  /** Undefined where the pack has gone. */
  async #tableOf(pack: RecordPack): Promise<PackTable | undefined> {
    try {
      return (await this.#tables.readAll([pack], 1))[0]!
    } catch (error) {
      if (!isNotFound(error)) throw error
      this.#drop(pack.name)
      return undefined
    }
  }

  #drop(pack: PackName): void {
    this.#gone.add(pack)
    this.#packs.delete(pack)
  }

  /** Gives the chunks that were not read, for their packs have gone: now, or since they were located. */
  async #readFrom(
    wanted: DigestSet,
    names: ReadonlySet<PackName>,
    onBlock: (block: ChunkBlock) => Promise<void>,
    signal: AbortSignal,
  ): Promise<DigestSet> {
    const { view, jobs } = this.#options
    const lost = new DigestSet()
    const found = new DigestSet()
    const underWay = new Set<Promise<void>>()
    const failing = new AbortController()
    const either = AbortSignal.any([signal, failing.signal])
    let failure: { error: unknown } | undefined
    const read = async (range: PackRange) => {
      let blocksDone = 0
      try {
        await readBlocks(view.remote, range, {
          copy: 1,
          signal: either,
          async onBlock(block) {
            await onBlock(block)
            blocksDone++
          },
        })
      } catch (error) {
        if (isNotFound(error) && blocksDone === 0) {
          this.#drop(range.pack)
          for (const { digest } of range.entries) lost.add(digest)
        } else {
          failure ??= { error }
          failing.abort(error)
        }
      }
    }
    const packs = [...names].flatMap((name) => this.#packs.get(name) ?? [])
    try {
      for await (const { pack, entries } of this.#selections(wanted, packs)) {
        for (const { digest } of entries) found.add(digest)
        for (const range of rangesOf(pack, entries)) {
          while (underWay.size >= jobs) await Promise.race(underWay)
          if (failure !== undefined) break
          const reading = read(range).finally(() => underWay.delete(reading))
          underWay.add(reading)
        }
        if (failure !== undefined) break
      }
    } finally {
      await Promise.all(underWay)
    }
    if (failure !== undefined) throw failure.error
    if (found.size < wanted.size) for (const digest of wanted) if (!found.has(digest)) lost.add(digest)
    return lost
  }

  /** What the remote's index knows of chunks that no record told of. */
  async #askIndex(missing: readonly Digest[]): Promise<'chunks' | 'metadata' | 'nothing'> {
    const { view, signal } = this.#options
    if (!this.#indexIsFresh) await view.refreshIndex(signal)
    this.#indexIsFresh = true
    const entries = missing.map((digest) => ({ kind: 'chunk' as const, digest }))
    const packs = await locateByIndex(view, entries, signal)
    if (this.#add(packs) > 0) return 'chunks'
    // A blob that was taken for a single chunk, for no recipe of it is here.
    const receiver = new StoreReceiver(this.#options)
    const metadata = packs.filter(({ class: packClass }) => packClass === 'metadata')
    await receiver.fetchWhole(receiver.notHere(metadata))
    return receiver.fetched.packs > 0 ? 'metadata' : 'nothing'
  }

  #lacks(missing: readonly Digest[]): VarveError {
    const [first] = missing
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : ''
    const { label } = this.#options.view.remote
    return new VarveError('MISSING_BYTES', `${label} lacks chunk ${contentIdFromDigest(first!)}${more}`, {
      hint: 'Run `varve push --all` in a clone that has it.',
    })
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof VarveError && error.code === 'NOT_FOUND'
}
