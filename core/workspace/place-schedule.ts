import type { Digest } from '../content-id.ts'
import type { PackEntry } from '../format/pack.ts'
import type { ChunkBlock, ChunkSource } from '../store/chunk-source.ts'
import type { Location } from '../store/segment-reader.ts'
import type { ChunkPlaces } from './chunk-places.ts'
import type { FileStamp } from './file-stamp.ts'
import { type FileToMaterialise, removeIfThere } from './materialise-task.ts'
import { isWorthKeeping, type PartFiles } from './part-files.ts'
import type { ChunkTarget, PlaceJob, PlaceResult } from './place-task.ts'

/** So many chunks of the store are one job. */
const STORED_AT_ONCE = 64

export type FileToPlace = {
  file: FileToMaterialise
  /** The file is a chunk itself. */
  isChunk: boolean
  /** Else: how many chunks it still needs, and what it is written to, if it was begun. */
  partsLeft: number
  temporary: string | undefined
}

export type PlaceScheduleOptions = {
  files: readonly FileToPlace[]
  places: ChunkPlaces
  /** Those of the chunks that the store has, in the order of packs. */
  stored: readonly StoredChunk[]
  source: ChunkSource
  parts: PartFiles
  /** So many blocks may wait. */
  mostWaiting: number
  onFile: (file: { index: number; stamp: FileStamp }) => void
  /** Stored bytes that came from the source and are in place. */
  onBytes: (count: number) => void
}

type StoredChunk = { digest: Digest; location: Location }

/** What a thread is at work on, as far as its result must be matched with it. */
type JobOut = { targets: ChunkTarget[][]; files: number[][]; block: ChunkBlock | undefined }

/** Shares out among threads that ask: chunks as they arrive, those of the store, and files whose chunks are all there. */
export class PlaceSchedule {
  readonly #options: PlaceScheduleOptions
  readonly #partsLeft: Uint32Array
  /** Of files that were begun: what they are written to. */
  readonly #temporaries = new Map<number, string>()
  readonly #finished: number[] = []
  /** Files all of whose chunks were good, and which came out as others. */
  readonly wrong: number[] = []
  readonly #blocks: ChunkBlock[] = []
  readonly #out = new Map<number, JobOut>()
  #storedDone = 0
  #rereads = 0
  #hasEnded = false
  #failure: { error: unknown } | undefined
  #wake: (() => void)[] = []

  constructor(options: PlaceScheduleOptions) {
    this.#options = options
    this.#partsLeft = Uint32Array.from(options.files, ({ partsLeft }) => partsLeft)
    for (const [index, { partsLeft, temporary }] of options.files.entries()) {
      if (temporary !== undefined) this.#temporaries.set(index, temporary)
      if (temporary !== undefined && partsLeft === 0) this.#finished.push(index)
    }
  }

  /** A block that arrived; waits until there is room for more. */
  async put(block: ChunkBlock): Promise<void> {
    this.#blocks.push(block)
    this.#wakeAll()
    await this.#until(() => this.#blocks.length < this.#options.mostWaiting)
  }

  /** No more blocks come. */
  end(failure?: { error: unknown }): void {
    this.#hasEnded = true
    this.#failure ??= failure
    this.#wakeAll()
  }

  /** Takes in a thread's result, and gives it its next job: undefined when all is done. */
  async next(thread: number, result: PlaceResult | undefined): Promise<PlaceJob | undefined> {
    if (result !== undefined) {
      this.#note(thread, result)
      this.#wakeAll()
    }
    let job: PlaceJob | undefined
    await this.#until(() => {
      job = this.#choose(thread)
      return job !== undefined || this.#isDone
    })
    return job
  }

  /** After a failure: removes what was begun, but for what a later run can go on with. */
  discard(): void {
    for (const [index, temporary] of this.#temporaries) {
      if (!isWorthKeeping(this.#options.files[index]!.file)) removeIfThere(temporary)
    }
    this.end({ error: new Error('given up') })
  }

  get #isDone(): boolean {
    return this.#hasEnded && this.#out.size === 0 && this.#rereads === 0
  }

  /** @throws what ended the work early */
  async #until(isReached: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      if (isReached()) return
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  #choose(thread: number): PlaceJob | undefined {
    return this.#finishJob(thread) ?? this.#blockJob(thread) ?? this.#storedJob(thread)
  }

  #finishJob(thread: number): PlaceJob | undefined {
    const index = this.#finished.shift()
    if (index === undefined) return undefined
    this.#out.set(thread, { targets: [], files: [], block: undefined })
    return { type: 'finish', file: this.#fileAt(index), temporary: this.#temporaries.get(index)! }
  }

  #blockJob(thread: number): PlaceJob | undefined {
    const block = this.#blocks.shift()
    if (block === undefined) return undefined
    const { pack, start, bytes } = block
    const { targets } = this.#takeOut(thread, block.entries, block)
    const entries = block.entries.map(({ codec, digest, offset, storedBytes, rawBytes, checksum }) => ({
      ...{ codec, offset, storedBytes, rawBytes, checksum },
      // A copy: what crosses threads takes the whole buffer along that it is a part of.
      digest: new Uint8Array(digest),
    }))
    this.#wakeAll()
    return { type: 'block', pack, start, bytes, entries, targets }
  }

  #storedJob(thread: number): PlaceJob | undefined {
    const from = this.#storedDone
    const some = this.#options.stored.slice(from, from + STORED_AT_ONCE)
    if (some.length === 0) return undefined
    this.#storedDone += some.length
    const { targets } = this.#takeOut(thread, some, undefined)
    const entries = some.map(({ digest, location }) => ({ digest: new Uint8Array(digest), location }))
    return { type: 'stored', entries, targets }
  }

  #takeOut(thread: number, chunks: readonly { digest: Digest }[], block: ChunkBlock | undefined): JobOut {
    const places = chunks.map(({ digest }) => this.#options.places.placesOf(digest))
    const targets = places.map((some) => some.map(({ file, position }) => this.#targetAt(file, position)))
    const out = { targets, files: places.map((some) => some.map(({ file }) => file)), block }
    this.#out.set(thread, out)
    return out
  }

  #targetAt(index: number, position: number): ChunkTarget {
    const file = this.#fileAt(index)
    if (this.#options.files[index]!.isChunk) return { type: 'file', file }
    let temporary = this.#temporaries.get(index)
    if (temporary === undefined) {
      temporary = this.#options.parts.create(file)
      this.#temporaries.set(index, temporary)
    }
    return { type: 'part', label: file.label, temporary, position }
  }

  #fileAt(index: number): FileToMaterialise {
    const { file } = this.#options.files[index]!
    return { ...file, digest: new Uint8Array(file.digest) }
  }

  #note(thread: number, result: PlaceResult): void {
    const { targets, files, block } = this.#out.get(thread)!
    this.#out.delete(thread)
    if (result.type === 'finished') {
      this.#temporaries.delete(result.index)
      if (result.stamp === undefined) this.wrong.push(result.index)
      else this.#options.onFile({ index: result.index, stamp: result.stamp })
      return
    }
    const bad = new Set(result.bad)
    for (const [at, some] of targets.entries()) {
      if (bad.has(at)) continue
      for (const [i, target] of some.entries()) if (target.type === 'part') this.#countPart(files[at]![i]!)
    }
    for (const file of result.done) this.#options.onFile(file)
    if (block === undefined) return
    const good = block.entries.filter((_, at) => !bad.has(at))
    this.#options.onBytes(good.reduce((sum, { storedBytes }) => sum + storedBytes, 0))
    if (bad.size === 0 && block.copy > 1) this.#options.source.tellMended(block)
    if (bad.size > 0)
      this.#readAgain(
        block,
        block.entries.filter((_, at) => bad.has(at)),
      )
  }

  #countPart(file: number): void {
    this.#partsLeft[file]!--
    if (this.#partsLeft[file] === 0) this.#finished.push(file)
  }

  /** A byte that was turned on its way is another one the next time; one that is bad where it lies is not. */
  #readAgain(block: ChunkBlock, entries: readonly PackEntry[]): void {
    const { source } = this.#options
    if (!source.mayReadAgain(block)) {
      this.#failure ??= { error: source.damaged(block, entries[0]!) }
      return
    }
    this.#rereads++
    const reading = source.readAgain(block, entries).then(
      (again) => void this.#blocks.push(again),
      (error: unknown) => {
        this.#failure ??= { error }
      },
    )
    void reading.finally(() => {
      this.#rereads--
      this.#wakeAll()
    })
  }
}
