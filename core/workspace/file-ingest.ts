import type { OnProgress } from '../progress.ts'
import type { StoreWriter } from '../store/store-writer.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { IngestSchedule } from './ingest-schedule.ts'
import { type IngestAnswer, type IngestQuestion, ingestTask } from './ingest-task.ts'
import type { FileToRead, ReadFile } from './read-file.ts'
import { threadsFor } from './work-batches.ts'

export type FileIngestOptions<F> = {
  workers: Workers
  /** Of the workspace. */
  root: string
  storeRoot: string
  writer: StoreWriter
  /** Called once for each file. */
  onFile: (file: F, read: ReadFile) => void
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/** `isLarge` tells which is which; of small ones there may be millions, so each is asked for when its turn comes. */
export type FilesToIngest<F> = { count: number; sizeBytes: number; small: Iterable<F>; large: readonly F[] }

const BUSY_FILES = 2000
const BUSY_BYTES = 64 << 20

/**
 * Reads files into the store in worker threads, while more of them are found. `writer` says which chunks are new;
 * nothing may lean on them before its `finish`.
 */
export class FileIngest<F extends FileToRead> {
  readonly #options: FileIngestOptions<F>
  readonly #schedule: IngestSchedule<F>
  #running: Promise<unknown> | undefined
  #failure: { error: unknown } | undefined
  #files = { done: 0, total: 0 }
  #bytes = { done: 0, total: 0 }

  constructor(options: FileIngestOptions<F>) {
    const { workers, writer, onFile } = options
    this.#options = options
    this.#schedule = new IngestSchedule({
      threads: workers.threads,
      events: {
        onFile: (file, read) => {
          onFile(file, read)
          this.#files.done++
          this.#report()
        },
        onNode: (digest, bytes) => writer.addNode(digest, bytes),
        onRecipe: (blob, root) => writer.addRecipe(blob, root),
        onBytes: (count) => {
          this.#bytes.done += count
          this.#report()
        },
      },
    })
  }

  /** Whether threads have so much before them that more would not make them quicker. */
  get isBusy(): boolean {
    return (
      this.#running !== undefined &&
      (this.#files.total - this.#files.done > BUSY_FILES || this.#bytes.total - this.#bytes.done > BUSY_BYTES)
    )
  }

  /** @throws what `finish` would, when that is known already */
  add({ count, sizeBytes, small, large }: FilesToIngest<F>): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#files.total += count
    this.#bytes.total += sizeBytes
    this.#schedule.add({ small, large })
    const threads = this.#threads()
    if (this.#running === undefined && threads > 0) this.#run(threads)
  }

  /** All files were added: ends once all are read. @throws CHANGED_WHILE_READING, NO_PERMISSION, NO_SPACE */
  async finish(): Promise<void> {
    this.#schedule.end()
    if (this.#running === undefined && this.#files.total > 0) this.#run(this.#threads())
    await this.#running
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Ends early, for this reason. */
  async abandon(error: unknown): Promise<void> {
    this.#failure ??= { error }
    this.#schedule.end()
    await this.#running
  }

  #threads(): number {
    return threadsFor({ files: this.#files.total, bytes: this.#bytes.total }, this.#options.workers.threads)
  }

  #run(threads: number): void {
    const { workers, root, storeRoot } = this.#options
    const answer = (question: IngestQuestion, thread: number) => this.#answer(question, thread)
    this.#running = workers.run(ingestTask, { root, storeRoot }, answer, { threads }).catch((error) => {
      this.#failure ??= { error }
    })
  }

  #answer(question: IngestQuestion, thread: number): IngestAnswer | Promise<IngestAnswer> {
    const { writer, signal } = this.#options
    if (this.#failure !== undefined) throw this.#failure.error
    throwIfAborted(signal)
    switch (question.type) {
      case 'next':
        return this.#schedule.next(thread, question.result)
      case 'claim':
        return writer.claimChunks(question.digests)
      case 'recipe':
        for (const node of question.nodes) writer.addNode(node.digest, node.bytes)
        writer.addRecipe(question.blob, question.root)
        return undefined
      case 'sealed':
        writer.addPack(question.pack)
        return undefined
    }
  }

  #report(): void {
    const { onProgress } = this.#options
    onProgress?.({
      phase: 'adding',
      ...{ filesDone: this.#files.done, filesTotal: this.#files.total },
      ...{ bytesDone: this.#bytes.done, bytesTotal: this.#bytes.total },
    })
  }
}
