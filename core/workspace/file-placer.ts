import { EMPTY_DIGEST } from '../content-id.ts'
import type { OnProgress } from '../progress.ts'
import type { ChunkSource, LocatedChunks } from '../store/chunk-source.ts'
import type { Store } from '../store/store.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { emptyBlock } from './empty-block.ts'
import { FileLayouts, type Layout } from './file-layouts.ts'
import { materialiseFiles } from './materialise-files.ts'
import { PartFiles } from './part-files.ts'
import { PlaceSchedule } from './place-schedule.ts'
import { type PlaceQuestion, placeTask } from './place-task.ts'
import type { FileToWrite } from './plan-checkout.ts'
import type { StatCache } from './stat-cache.ts'
import { threadsFor } from './work-batches.ts'

/** Files of about so many chunks are brought at a time, which bounds what is held in memory of them. */
const PLACES_AT_ONCE = 1 << 19
/** For each thread, so many blocks of 2 MiB wait. */
const BLOCKS_WAITING = 2

export type PlaceOptions = {
  root: string
  store: Store
  cache: StatCache
  workers: Workers
  files: readonly FileToWrite[]
  source: ChunkSource
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/** Files that are brought together, and where those of their chunks are that the store lacks. */
type Batch = { files: readonly FileToWrite[]; where: LocatedChunks }

/**
 * Writes files of a version whose chunks come from elsewhere and go straight to where they belong: the store gets none
 * of them. Those that it has are read from it. Made by `prepare`.
 */
export class FilePlacer {
  readonly #options: PlaceOptions
  readonly #inStore: FileToWrite[] = []
  readonly #batches: Batch[] = []
  readonly #parts = new PartFiles()
  readonly #layouts: FileLayouts
  #filesDone = 0
  #bytesDone = 0

  private constructor(options: PlaceOptions) {
    this.#options = options
    this.#layouts = new FileLayouts({ ...options, parts: this.#parts })
  }

  /** Finds every chunk; nothing is written. @throws MISSING_BYTES */
  static async prepare(options: PlaceOptions): Promise<FilePlacer> {
    const placer = new FilePlacer(options)
    await placer.#locateAll()
    return placer
  }

  /** Stored bytes that came from the source. */
  get receivedBytes(): number {
    return this.#bytesDone
  }

  /**
   * Their directories exist.
   * @throws CORRUPT, WOULD_LOSE_DATA, MISSING_BYTES where one has gone since it was found
   */
  async write(): Promise<void> {
    await materialiseFiles({ ...this.#options, files: this.#inStore })
    for (const batch of this.#batches) {
      let files = await this.#place(batch.files, batch.where, 0)
      // Of several recipes all but one are lies, which only rebuilding the file tells.
      for (let attempt = 1; files.length > 0; attempt++) {
        files = await this.#place(files, await this.#locate(files, attempt), attempt)
      }
    }
  }

  async #locateAll(): Promise<void> {
    const { store } = this.#options
    let files: FileToWrite[] = []
    let chunks = 0
    const endBatch = async () => {
      if (files.length > 0) this.#batches.push({ files, where: await this.#locate(files, 0) })
      files = []
      chunks = 0
    }
    for (const file of this.#options.files) {
      if (isInStore(store, file)) {
        this.#inStore.push(file)
        continue
      }
      files.push(file)
      chunks += this.#layouts.countChunks(file)
      if (chunks >= PLACES_AT_ONCE) await endBatch()
    }
    await endBatch()
  }

  async #locate(files: readonly FileToWrite[], attempt: number): Promise<LocatedChunks> {
    for (;;) {
      const { wanted } = await this.#layouts.layOut(files, { attempt, goesOn: false })
      const where =
        wanted.size === 0
          ? { packs: new Set<never>(), storedBytes: 0 }
          : await this.#options.source.locate(wanted)
      if (where !== undefined) return where
    }
  }

  /** Gives the files that came out as others than they should. */
  async #place(files: readonly FileToWrite[], where: LocatedChunks, attempt: number): Promise<FileToWrite[]> {
    const { store, cache, workers, source, onProgress, signal } = this.#options
    const layout = await this.#layouts.layOut(files, { attempt, goesOn: attempt === 0 })
    const threads = threadsFor({ files: files.length, bytes: where.storedBytes }, workers.threads)
    const report = () =>
      onProgress?.({
        phase: 'pulling',
        filesDone: this.#filesDone,
        filesTotal: this.#filesTotal,
        bytesDone: this.#bytesDone,
        bytesTotal: this.#bytesTotal,
      })
    const schedule = new PlaceSchedule({
      ...layout,
      source,
      parts: this.#parts,
      mostWaiting: BLOCKS_WAITING * Math.max(1, threads),
      onFile: ({ index, stamp }) => {
        const { path, digest } = files[index]!
        cache.record(path, stamp, digest)
        this.#filesDone++
        report()
      },
      onBytes: (count) => {
        this.#bytesDone += count
        report()
      },
    })
    const ending = new AbortController()
    const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal])
    const doneBefore = this.#filesDone
    const reading = this.#readInto(schedule, layout, where, either)
    try {
      const answer = ({ result }: PlaceQuestion, thread: number) => {
        throwIfAborted(signal)
        return schedule.next(thread, result)
      }
      await workers.run(placeTask, { root: store.root }, answer, { threads })
    } finally {
      schedule.discard()
      ending.abort()
      await reading
    }
    const count = this.#filesDone - doneBefore + schedule.wrong.length
    // A file that is silently not there would pass for one that the user deleted.
    if (count !== files.length) throw new Error(`${files.length - count} files were left without some chunk`)
    return schedule.wrong.map((index) => files[index]!)
  }

  async #readInto(
    schedule: PlaceSchedule,
    { places, wanted }: Layout,
    where: LocatedChunks,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      if (places.chunks.has(EMPTY_DIGEST)) await schedule.put(emptyBlock())
      if (wanted.size > 0) {
        await this.#options.source.read({ wanted, where, signal, onBlock: (block) => schedule.put(block) })
      }
      schedule.end()
    } catch (error) {
      schedule.end({ error })
    }
  }

  get #filesTotal(): number {
    return this.#batches.reduce((sum, { files }) => sum + files.length, 0)
  }

  get #bytesTotal(): number {
    return this.#batches.reduce((sum, { where }) => sum + where.storedBytes, 0)
  }
}

/** Most files are one chunk, and most are not there: that takes two looks into the index. */
function isInStore(store: Store, { digest }: FileToWrite): boolean {
  return store.has('chunk', digest) || (store.index.has('recipe', digest) && store.hasBlob(digest))
}
