import { type RecipeEntry, walkLeafNodes } from '../format/recipe.ts'
import { labelled } from '../store/read-blob.ts'
import type { Store } from '../store/store.ts'
import type { FileStamp } from './file-stamp.ts'
import {
  createTemporary,
  type FilePart,
  type FileToMaterialise,
  type MaterialiseJob,
  type MaterialiseResult,
  removeIfThere,
  wrongBytes,
} from './materialise-task.ts'
import { WorkBatches } from './work-batches.ts'

/** Larger files are written part by part, in any order, by any thread. */
const LARGE_FILE_BYTES = 32 << 20

type LargeFile = { file: FileToMaterialise; temporary: string; partsLeft: number; isListed: boolean }

/** Shares files out among threads that ask: small ones in batches, large ones by the leaf nodes of their recipes. */
export class MaterialiseSchedule {
  readonly #store: Store
  readonly #onFile: (file: { index: number; stamp: FileStamp }) => void
  readonly #onBytes: (count: number) => void
  readonly #sizes: Map<number, number>
  readonly #small = new WorkBatches<FileToMaterialise>(({ sizeBytes }) => sizeBytes)
  readonly #large: FileToMaterialise[]
  readonly #open = new Map<number, LargeFile>()
  /** The parts left of large files that were begun, by the thread that began them. */
  readonly #begun = new Map<number, Iterator<FilePart>>()
  readonly #finished: LargeFile[] = []
  #jobsOut = 0
  #wake: (() => void)[] = []

  constructor(options: {
    store: Store
    files: readonly FileToMaterialise[]
    onFile: (file: { index: number; stamp: FileStamp }) => void
    onBytes: (count: number) => void
  }) {
    const { store, files, onFile, onBytes } = options
    this.#store = store
    this.#onFile = onFile
    this.#onBytes = onBytes
    const isLarge = ({ sizeBytes, location }: FileToMaterialise) =>
      sizeBytes > LARGE_FILE_BYTES && location === undefined
    this.#large = files.filter(isLarge)
    const small = files.filter((file) => !isLarge(file))
    this.#sizes = new Map(small.map(({ index, sizeBytes }) => [index, sizeBytes]))
    this.#small.add(small)
  }

  /** Takes in a thread's result, and gives it its next job: undefined when all is done. */
  async next(thread: number, result: MaterialiseResult | undefined): Promise<MaterialiseJob | undefined> {
    if (result !== undefined) {
      this.#jobsOut--
      this.#note(result)
      for (const wake of this.#wake.splice(0)) wake()
    }
    for (;;) {
      const job = this.#choose(thread)
      if (job !== undefined) {
        this.#jobsOut++
        return job
      }
      if (this.#jobsOut === 0) return undefined
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
  }

  /** After a failure: removes what was begun. */
  discard(): void {
    for (const { temporary } of this.#open.values()) removeIfThere(temporary)
  }

  #choose(thread: number): MaterialiseJob | undefined {
    // Asking for a part is what tells that a file has no more, so that it can be finished.
    return this.#finishJob() ?? this.#partJob(thread) ?? this.#finishJob() ?? this.#batchJob()
  }

  #finishJob(): MaterialiseJob | undefined {
    const finished = this.#finished.shift()
    return finished && { type: 'finish', file: finished.file, temporary: finished.temporary }
  }

  #partJob(thread: number): MaterialiseJob | undefined {
    const part = this.#nextPart(thread)
    return part && { type: 'part', part }
  }

  #batchJob(): MaterialiseJob | undefined {
    const files = this.#small.next()
    return files && { type: 'files', files }
  }

  /** Each thread has a file of its own while there are enough: two that write to one wait for each other. */
  #nextPart(thread: number): FilePart | undefined {
    for (;;) {
      if (!this.#begun.has(thread)) {
        const file = this.#large.shift()
        if (file === undefined) break
        this.#begun.set(thread, this.#partsOf(file))
      }
      const part = this.#take(thread)
      if (part !== undefined) return part
    }
    for (const other of this.#begun.keys()) {
      const part = this.#take(other)
      if (part !== undefined) return part
    }
    return undefined
  }

  /** The next part of the file that `thread` began, if it has one more. */
  #take(thread: number): FilePart | undefined {
    const next = this.#begun.get(thread)?.next()
    if (next !== undefined && !next.done) return next.value
    this.#begun.delete(thread)
    return undefined
  }

  *#partsOf(file: FileToMaterialise): Generator<FilePart> {
    const large = { file, temporary: createTemporary(file), partsLeft: 0, isListed: false }
    this.#open.set(file.index, large)
    let start = 0
    for (const { digest: node, lengthBytes } of this.#leafNodesOf(file)) {
      large.partsLeft++
      yield { index: file.index, label: file.label, temporary: large.temporary, node, start, lengthBytes }
      start += lengthBytes
    }
    large.isListed = true
    if (large.partsLeft === 0) this.#finished.push(large)
  }

  /** @throws MISSING_BYTES, CORRUPT, MALFORMED, each with the file's name */
  *#leafNodesOf(file: FileToMaterialise): Generator<RecipeEntry> {
    try {
      const root = file.provenRecipe ?? this.#store.requireRecipe(file.digest)
      if (root.lengthBytes !== file.sizeBytes) throw wrongBytes(file.label, file.digest)
      yield* walkLeafNodes(root, (node) => this.#store.readEntry('node', node))
    } catch (error) {
      throw labelled(error, file)
    }
  }

  #note(result: MaterialiseResult): void {
    if (result.type === 'part') {
      this.#onBytes(result.bytes)
      const large = this.#open.get(result.index)!
      large.partsLeft--
      if (large.isListed && large.partsLeft === 0) this.#finished.push(large)
      return
    }
    for (const file of result.done) {
      this.#open.delete(file.index)
      this.#onBytes(this.#sizes.get(file.index) ?? 0)
      this.#onFile(file)
    }
  }
}
