import { closeSync, fstatSync } from 'node:fs'
import { createCandidateFinder } from '../chunking/create-candidate-finder.ts'
import { MIN_CHUNK_BYTES } from '../chunking/cut-selector.ts'
import { chunkLengths } from '../chunking/rot256.ts'
import { DIGEST_BYTES, type Digest, digestOf } from '../content-id.ts'
import { RecipeBuilder, type RecipeRoot } from '../format/recipe.ts'
import { PackWriter, type SealedPack } from '../store/pack-writer.ts'
import type { Ask, Task } from '../workers/workers.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
import { type CutWindow, LargeFileCutter, WINDOW_BYTES } from './large-file-cutter.ts'
import {
  changedWhileReading,
  type FileToRead,
  failedReading,
  openFile,
  type PackedFiles,
  packReadFiles,
  type ReadFile,
  type ReadFiles,
  readFully,
  unpackFiles,
} from './read-file.ts'

/** A piece of work; `IngestSchedule` shares it out. A buffer moves to the thread, and back with the result. */
export type IngestJob =
  | { type: 'files'; files: PackedFiles }
  /** Read the next window of a large file into `buffer` and cut it. Always by the thread that began the file. */
  | { type: 'cut'; file: FileToRead; isFirst: boolean; buffer: ArrayBuffer }
  /** Hash, claim and write the chunks of a window. */
  | { type: 'window'; window: number; buffer: ArrayBuffer; lengths: number[] }

export type IngestResult =
  /** `grown` are the places, in the batch, of files that no longer fit among the small ones. */
  | { type: 'files'; done: ReadFiles; grown: number[] }
  | { type: 'cut'; cut: CutWindow; buffer: ArrayBuffer }
  | { type: 'window'; window: number; digests: Uint8Array; buffer: ArrayBuffer }

export type IngestQuestion =
  /** Another job, please; this is what came of the last one. The answer is `undefined` when there are no more. */
  | { type: 'next'; result: IngestResult | undefined }
  /** Which of these chunks am I to write? A byte for each: 1 or 0. */
  | { type: 'claim'; digests: Uint8Array }
  /** Recipe nodes and the recipe of a small file, for the metadata packs. */
  | { type: 'recipe'; nodes: { digest: Digest; bytes: Uint8Array }[]; blob: Digest; root: RecipeRoot }
  | { type: 'sealed'; pack: SealedPack }

export type IngestAnswer = IngestJob | Uint8Array | undefined

/** The roots of the workspace and of the store. */
export type IngestInput = { root: string; storeRoot: string }

/**
 * Reads files, cuts and hashes them, and writes the chunks that are new into packs of this thread's own.
 * All of it is synchronous but the questions; each file's bytes are read once.
 */
export const ingestTask: Task<IngestInput, IngestQuestion, IngestAnswer, void> = {
  name: 'ingest',
  buffersIn(answer) {
    return answer !== undefined && 'buffer' in answer && 'type' in answer ? [answer.buffer] : []
  },
  async run(input, ask) {
    const ingester = new Ingester(input, ask)
    try {
      await ingester.run()
    } finally {
      ingester.discard()
    }
  },
}

type PendingChunk = { digest: Digest; bytes: Uint8Array }

class Ingester {
  readonly #root: string
  readonly #ask: Ask<IngestQuestion, IngestAnswer>
  readonly #packs: PackWriter
  readonly #sealed: SealedPack[] = []
  readonly #finder = createCandidateFinder()
  /** Where small files are read to, side by side. */
  #shelf: Buffer | undefined
  #cutter: LargeFileCutter | undefined
  #pending: PendingChunk[] = []

  constructor({ root, storeRoot }: IngestInput, ask: Ask<IngestQuestion, IngestAnswer>) {
    this.#root = root
    this.#ask = ask
    const onSealed = (pack: SealedPack) => this.#sealed.push(pack)
    this.#packs = new PackWriter({ root: storeRoot, class: 'data', onSealed })
  }

  async run(): Promise<void> {
    let result: IngestResult | undefined
    for (;;) {
      const buffers = result !== undefined && 'buffer' in result ? [result.buffer] : []
      const job = (await this.#ask({ type: 'next', result }, buffers)) as IngestJob | undefined
      if (job === undefined) break
      result = await this.#do(job)
    }
    this.#packs.seal()
    await this.#handOver()
  }

  discard(): void {
    this.#packs.discard()
    this.#cutter?.close()
  }

  async #do(job: IngestJob): Promise<IngestResult> {
    switch (job.type) {
      case 'files':
        return this.#ingestFiles(job.files)
      case 'cut':
        return { type: 'cut', cut: this.#cut(job), buffer: job.buffer }
      case 'window':
        return {
          ...{ type: 'window', window: job.window, buffer: job.buffer },
          digests: await this.#ingestWindow(job),
        }
    }
  }

  #cut({ file, isFirst, buffer }: IngestJob & { type: 'cut' }): CutWindow {
    if (isFirst) {
      this.#cutter?.close()
      this.#cutter = undefined
      this.#cutter = new LargeFileCutter(this.#root, file, createCandidateFinder())
    }
    const cut = this.#cutter!.cut(Buffer.from(buffer))
    if (cut.end !== undefined) {
      this.#cutter!.close()
      this.#cutter = undefined
    }
    return cut
  }

  /** Gives the digests of the window's chunks, end to end. */
  async #ingestWindow({ buffer, lengths }: IngestJob & { type: 'window' }): Promise<Uint8Array> {
    const bytes = Buffer.from(buffer)
    let start = 0
    for (const length of lengths) {
      const chunk = bytes.subarray(start, start + length)
      this.#pending.push({ digest: digestOf(chunk), bytes: chunk })
      start += length
    }
    return this.#writePending()
  }

  async #ingestFiles(files: PackedFiles): Promise<IngestResult> {
    this.#shelf ??= Buffer.allocUnsafeSlow(WINDOW_BYTES)
    const done: (ReadFile & { place: number })[] = []
    const grown: number[] = []
    let used = 0
    for (const [place, file] of unpackFiles(files).entries()) {
      if (used + file.stamp.sizeBytes > WINDOW_BYTES) {
        await this.#writePending()
        used = 0
      }
      const stamp = this.#readSmall(file, this.#shelf.subarray(used))
      if (stamp === undefined) {
        grown.push(place)
        continue
      }
      const bytes = this.#shelf.subarray(used, used + stamp.sizeBytes)
      done.push({ place, digest: await this.#takeSmall(bytes), stamp })
      used += stamp.sizeBytes
    }
    await this.#writePending()
    return { type: 'files', done: packReadFiles(done), grown }
  }

  /** Reads a whole file to the start of `target`; undefined when it has grown and no longer fits. */
  #readSmall(file: FileToRead, target: Buffer): FileStamp | undefined {
    const fd = openFile(this.#root, file)
    try {
      let before = file.stamp
      for (let attempt = 0; attempt < 2; attempt++) {
        if (before.sizeBytes > target.length) return undefined
        const count = readFully(fd, target.subarray(0, before.sizeBytes), 0)
        const after = stampOf(fstatSync(fd))
        if (count === before.sizeBytes && sameStamp(before, after)) return after
        before = after
      }
      throw changedWhileReading(file)
    } catch (error) {
      throw failedReading(error, file)
    } finally {
      closeSync(fd)
    }
  }

  /** Hashes and cuts a small file's bytes; their chunks are pending then. */
  async #takeSmall(bytes: Buffer): Promise<Digest> {
    const digest = digestOf(bytes)
    const lengths = bytes.length <= MIN_CHUNK_BYTES ? [] : chunkLengths(bytes, this.#finder)
    if (lengths.length <= 1) {
      this.#pending.push({ digest, bytes })
      return digest
    }
    const nodes: { digest: Digest; bytes: Uint8Array }[] = []
    const recipe = new RecipeBuilder((node, nodeDigest) => nodes.push({ digest: nodeDigest, bytes: node }))
    let start = 0
    for (const length of lengths) {
      const chunk = bytes.subarray(start, start + length)
      const chunkDigest = digestOf(chunk)
      this.#pending.push({ digest: chunkDigest, bytes: chunk })
      recipe.push(chunkDigest, length)
      start += length
    }
    await this.#ask({ type: 'recipe', nodes, blob: digest, root: recipe.finish() })
    return digest
  }

  /** Claims the pending chunks and writes those that are new, before their bytes make room. Gives all digests. */
  async #writePending(): Promise<Uint8Array> {
    const pending = this.#pending
    this.#pending = []
    const digests = new Uint8Array(pending.length * DIGEST_BYTES)
    for (const [i, chunk] of pending.entries()) digests.set(chunk.digest, i * DIGEST_BYTES)
    if (pending.length === 0) return digests
    const verdicts = (await this.#ask({ type: 'claim', digests })) as Uint8Array
    for (const [i, { digest, bytes }] of pending.entries()) {
      if (verdicts[i] === 1) this.#packs.append('chunk', digest, bytes)
    }
    await this.#handOver()
    return digests
  }

  async #handOver(): Promise<void> {
    for (const pack of this.#sealed.splice(0)) await this.#ask({ type: 'sealed', pack })
  }
}
