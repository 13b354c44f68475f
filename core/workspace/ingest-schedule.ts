import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import { RecipeBuilder, type RecipeRoot } from '../format/recipe.ts'
import type { FileStamp } from './file-stamp.ts'
import type { IngestJob, IngestResult } from './ingest-task.ts'
import { WINDOW_BUFFER_BYTES, WINDOW_BYTES } from './large-file-cutter.ts'
import {
  changedWhileReading,
  type FileToRead,
  packFiles,
  type ReadFile,
  unpackReadFiles,
} from './read-file.ts'
import { WorkBatches } from './work-batches.ts'

/** What comes of a schedule: finished files, and the recipes of large ones for the metadata packs. */
export type IngestEvents<F> = {
  onFile(file: F, read: ReadFile): void
  onNode(digest: Digest, bytes: Uint8Array): void
  onRecipe(blob: Digest, root: RecipeRoot): void
  /** More bytes went through. */
  onBytes(count: number): void
}

/** Files that come in windows: they do not fit where the small ones are read side by side. */
export function isLarge({ stamp }: { stamp: FileStamp }): boolean {
  return stamp.sizeBytes > WINDOW_BYTES
}

/** Windows that are cut and wait for a free thread: more would only hold memory. */
const MOST_WAITING_WINDOWS = 2

/** A large file under way: cut by one thread, its windows written by all. */
type LargeFile<F> = {
  file: F
  attempt: number
  isBegun: boolean
  recipe: RecipeBuilder
  /** Windows cut, windows that went into the recipe, and those that came back out of order. */
  cutWindows: number
  takenWindows: number
  arrived: Map<number, { digests: Uint8Array; lengths: number[] }>
  chunks: number
  end: { digest: Digest; stamp: FileStamp } | undefined
}

type Window<F> = {
  id: number
  large: LargeFile<F>
  sequence: number
  buffer: ArrayBuffer
  lengths: number[]
}

/**
 * Shares files out among threads that ask: small ones in batches, and large ones as two kinds of work, reading and
 * cutting (in order, by one thread a file) and writing what was cut (in any order, by any thread), so that one large
 * file keeps all threads busy. Bytes pass from the one to the other in buffers that move, and are never copied: copies out
 * of memory that threads share would be slow. Files may come while others are read.
 */
export class IngestSchedule<F extends FileToRead> {
  readonly #events: IngestEvents<F>
  readonly #small = new WorkBatches<F>(({ stamp }) => stamp.sizeBytes)
  /** The longest last, and begun first: the last of them would otherwise be waited for alone. */
  readonly #large: F[] = []
  /** The batch that a thread is reading. */
  readonly #reading = new Map<number, F[]>()
  /** The large file that a thread is cutting. */
  readonly #cutting = new Map<number, LargeFile<F>>()
  readonly #waiting: Window<F>[] = []
  readonly #underWay = new Map<number, Window<F>>()
  readonly #freeBuffers: ArrayBuffer[]
  #jobsOut = 0
  #isEnded = false
  #lastWindow = 0
  #wake: (() => void)[] = []

  constructor(options: { threads: number; events: IngestEvents<F> }) {
    this.#events = options.events
    const buffers = options.threads + MOST_WAITING_WINDOWS
    this.#freeBuffers = Array.from({ length: buffers }, () => new ArrayBuffer(WINDOW_BUFFER_BYTES))
  }

  /** `small` may be millions: each is asked for when its turn comes. */
  add({ small, large }: { small: Iterable<F>; large: readonly F[] }): void {
    this.#small.add(small)
    if (large.length > 0) {
      for (const file of large) this.#large.push(file)
      this.#large.sort((a, b) => a.stamp.sizeBytes - b.stamp.sizeBytes)
    }
    this.#wakeAll()
  }

  /** No more files will come. */
  end(): void {
    this.#isEnded = true
    this.#wakeAll()
  }

  /** Takes in a thread's result, and gives it its next job: undefined when all is done. */
  async next(thread: number, result: IngestResult | undefined): Promise<IngestJob | undefined> {
    if (result !== undefined) {
      this.#jobsOut--
      this.#take(thread, result)
      this.#wakeAll()
    }
    for (;;) {
      const job = this.#choose(thread)
      if (job !== undefined) {
        this.#jobsOut++
        return job
      }
      if (this.#isEnded && this.#jobsOut === 0) return undefined
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  #choose(thread: number): IngestJob | undefined {
    const isBacklog = this.#waiting.length >= MOST_WAITING_WINDOWS || this.#freeBuffers.length === 0
    if (isBacklog && this.#waiting.length > 0) return this.#writeJob()
    if (!isBacklog) {
      const own = this.#cutting.get(thread) ?? this.#begin(thread)
      if (own !== undefined) return this.#cutJob(own)
    }
    if (this.#waiting.length > 0) return this.#writeJob()
    return this.#batchJob(thread)
  }

  #begin(thread: number): LargeFile<F> | undefined {
    const file = this.#large.pop()
    if (file === undefined) return undefined
    const large = this.#newLargeFile(file, 1)
    this.#cutting.set(thread, large)
    return large
  }

  #newLargeFile(file: F, attempt: number): LargeFile<F> {
    const recipe = new RecipeBuilder((bytes, digest) => this.#events.onNode(digest, bytes))
    const arrived = new Map()
    return {
      file,
      attempt,
      isBegun: false,
      recipe,
      cutWindows: 0,
      takenWindows: 0,
      arrived,
      chunks: 0,
      end: undefined,
    }
  }

  #cutJob(large: LargeFile<F>): IngestJob {
    const buffer = this.#freeBuffers.pop()!
    const isFirst = !large.isBegun
    large.isBegun = true
    const { path, stamp } = large.file
    return { type: 'cut', file: { path, stamp }, isFirst, buffer }
  }

  #writeJob(): IngestJob {
    const window = this.#waiting.shift()!
    this.#underWay.set(window.id, window)
    return { type: 'window', window: window.id, buffer: window.buffer, lengths: window.lengths }
  }

  #batchJob(thread: number): IngestJob | undefined {
    const files = this.#small.next()
    if (files === undefined) return undefined
    this.#reading.set(thread, files)
    return { type: 'files', files: packFiles(files) }
  }

  #take(thread: number, result: IngestResult): void {
    switch (result.type) {
      case 'files':
        this.#takeFiles(thread, result)
        break
      case 'cut':
        this.#takeCut(thread, result)
        break
      case 'window':
        this.#takeWindow(result)
        break
    }
  }

  #takeFiles(thread: number, { done, grown }: IngestResult & { type: 'files' }): void {
    const files = this.#reading.get(thread)!
    this.#reading.delete(thread)
    for (const read of unpackReadFiles(done)) {
      this.#events.onBytes(read.stamp.sizeBytes)
      this.#events.onFile(files[read.place]!, read)
    }
    for (const place of grown) this.#large.push(files[place]!)
  }

  #takeCut(thread: number, { cut, buffer }: IngestResult & { type: 'cut' }): void {
    const large = this.#cutting.get(thread)!
    if (cut.end === 'changed') {
      this.#freeBuffers.push(buffer)
      if (large.attempt === 2) throw changedWhileReading(large.file)
      this.#cutting.set(thread, this.#newLargeFile(large.file, large.attempt + 1))
      return
    }
    const id = ++this.#lastWindow
    const sequence = large.cutWindows++
    this.#waiting.push({ id, large, sequence, buffer, lengths: cut.lengths })
    if (cut.end === undefined) return
    large.end = cut.end
    this.#cutting.delete(thread)
  }

  #takeWindow({ window: id, digests, buffer }: IngestResult & { type: 'window' }): void {
    const { large, sequence, lengths } = this.#underWay.get(id)!
    this.#underWay.delete(id)
    this.#freeBuffers.push(buffer)
    this.#events.onBytes(lengths.reduce((sum, length) => sum + length, 0))
    large.arrived.set(sequence, { digests, lengths })
    for (
      let next = large.arrived.get(large.takenWindows);
      next;
      next = large.arrived.get(large.takenWindows)
    ) {
      large.arrived.delete(large.takenWindows++)
      for (const [i, length] of next.lengths.entries()) {
        large.recipe.push(next.digests.slice(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES), length)
        large.chunks++
      }
    }
    if (large.end !== undefined && large.takenWindows === large.cutWindows) this.#finish(large, large.end)
  }

  #finish(large: LargeFile<F>, { digest, stamp }: { digest: Digest; stamp: FileStamp }): void {
    if (large.chunks > 1) this.#events.onRecipe(digest, large.recipe.finish())
    this.#events.onFile(large.file, { digest, stamp })
  }
}
