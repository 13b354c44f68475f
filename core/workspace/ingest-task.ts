import { closeSync, fstatSync } from 'node:fs'
import { CandidateFinder } from '../chunking/candidate-finder.ts'
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../chunking/cut-selector.ts'
import { chunkLengths, Rot256Chunker } from '../chunking/rot256.ts'
import { ContentHasher, DIGEST_BYTES, type Digest, digestOf } from '../content-id.ts'
import { RecipeBuilder, type RecipeRoot } from '../format/recipe.ts'
import { PackWriter, type SealedPack } from '../store/pack-writer.ts'
import type { Ask, Task } from '../workers/workers.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
import {
  changedWhileReading,
  type FileToRead,
  openFile,
  packReadFiles,
  type ReadFile,
  type ReadFiles,
  readFully,
} from './read-file.ts'

export type IngestQuestion =
  /** More files, please; these are done. The answer is `undefined` when there are no more. */
  | { type: 'next'; done: ReadFiles }
  /** Which of these chunks am I to write? A byte for each: 1 or 0. */
  | { type: 'claim'; digests: Uint8Array }
  /** Recipe nodes and recipes, for the metadata packs. */
  | {
      type: 'recipe'
      nodes: { digest: Digest; bytes: Uint8Array }[]
      blob?: { digest: Digest; root: RecipeRoot }
    }
  | { type: 'sealed'; pack: SealedPack }
  | { type: 'progress'; bytes: number }

export type IngestAnswer = FileToRead[] | Uint8Array | undefined

/** The roots of the workspace and of the store. */
export type IngestInput = { root: string; storeRoot: string }

/** Bytes that are read before their chunks are claimed and written. */
export const WINDOW_BYTES = 8 << 20

/**
 * Reads files, cuts and hashes them, and writes the chunks that are new into packs of this thread's own.
 * All of it is synchronous but the questions; each file's bytes are read once.
 */
export const ingestTask: Task<IngestInput, IngestQuestion, IngestAnswer, void> = {
  name: 'ingest',
  async run(input, ask) {
    const ingester = new Ingester(input, ask)
    try {
      await ingester.run()
    } finally {
      ingester.discard()
    }
  },
}

type PendingChunk = { digest: Digest; start: number; length: number }

class Ingester {
  readonly #root: string
  readonly #ask: Ask<IngestQuestion, IngestAnswer>
  readonly #packs: PackWriter
  readonly #sealed: SealedPack[] = []
  readonly #window = Buffer.allocUnsafeSlow(WINDOW_BYTES + MAX_CHUNK_BYTES)
  readonly #finder = new CandidateFinder()
  #pending: PendingChunk[] = []

  constructor({ root, storeRoot }: IngestInput, ask: Ask<IngestQuestion, IngestAnswer>) {
    this.#root = root
    this.#ask = ask
    const onSealed = (pack: SealedPack) => this.#sealed.push(pack)
    this.#packs = new PackWriter({ root: storeRoot, class: 'data', onSealed })
  }

  async run(): Promise<void> {
    let done: ReadFile[] = []
    for (;;) {
      const question = { type: 'next', done: packReadFiles(done) } as const
      const files = (await this.#ask(question)) as FileToRead[] | undefined
      if (files === undefined) break
      done = await this.#ingest(files)
    }
    this.#packs.seal()
    await this.#handOver()
  }

  discard(): void {
    this.#packs.discard()
  }

  /** Small files share the window; a file that does not fit has it alone. */
  async #ingest(files: FileToRead[]): Promise<ReadFile[]> {
    const done: ReadFile[] = []
    let used = 0
    for (const file of files) {
      const { sizeBytes } = file.stamp
      if (sizeBytes > WINDOW_BYTES) {
        await this.#writePending()
        used = 0
        done.push(await this.#ingestLarge(file))
        continue
      }
      if (used + sizeBytes > WINDOW_BYTES) {
        await this.#writePending()
        used = 0
      }
      const read = this.#readSmall(file, used)
      if (read === undefined) {
        // It has grown past the window since it was listed.
        await this.#writePending()
        used = 0
        done.push(await this.#ingestLarge(file))
        continue
      }
      done.push(await this.#cutSmall(file, used, read))
      used += read.stamp.sizeBytes
    }
    await this.#writePending()
    return done
  }

  /** Reads a whole file to `at` in the window; undefined when it no longer fits. */
  #readSmall(file: FileToRead, at: number): { stamp: FileStamp } | undefined {
    const fd = openFile(this.#root, file)
    try {
      let before = file.stamp
      for (let attempt = 0; attempt < 2; attempt++) {
        if (at + before.sizeBytes > WINDOW_BYTES) return undefined
        const bytes = readFully(fd, this.#window.subarray(at, at + before.sizeBytes), 0)
        const after = stampOf(fstatSync(fd))
        if (bytes === before.sizeBytes && sameStamp(before, after)) return { stamp: after }
        before = after
      }
      throw changedWhileReading(file)
    } finally {
      closeSync(fd)
    }
  }

  async #cutSmall(file: FileToRead, at: number, read: { stamp: FileStamp }): Promise<ReadFile> {
    const bytes = this.#window.subarray(at, at + read.stamp.sizeBytes)
    const digest = digestOf(bytes)
    const lengths = bytes.length <= MIN_CHUNK_BYTES ? [] : chunkLengths(bytes, this.#finder)
    if (lengths.length <= 1) {
      this.#pending.push({ digest, start: at, length: bytes.length })
    } else {
      const nodes: { digest: Digest; bytes: Uint8Array }[] = []
      const recipe = new RecipeBuilder((node, nodeDigest) => nodes.push({ digest: nodeDigest, bytes: node }))
      let start = at
      for (const length of lengths) {
        const chunk = digestOf(this.#window.subarray(start, start + length))
        this.#pending.push({ digest: chunk, start, length })
        recipe.push(chunk, length)
        start += length
      }
      await this.#ask({ type: 'recipe', nodes, blob: { digest, root: recipe.finish() } })
    }
    return { index: file.index, digest, stamp: read.stamp }
  }

  async #ingestLarge(file: FileToRead): Promise<ReadFile> {
    const fd = openFile(this.#root, file)
    try {
      for (let attempt = 0; attempt < 2; attempt++) {
        const before = stampOf(fstatSync(fd))
        const digest = await this.#stream(fd)
        const after = stampOf(fstatSync(fd))
        if (sameStamp(before, after)) return { index: file.index, digest, stamp: after }
      }
      throw changedWhileReading(file)
    } finally {
      closeSync(fd)
    }
  }

  /** Cuts, hashes and writes what `fd` gives from its start to its end; gives the digest of it all. */
  async #stream(fd: number): Promise<Digest> {
    const hasher = new ContentHasher()
    const chunker = new Rot256Chunker(this.#finder)
    let nodes: { digest: Digest; bytes: Uint8Array }[] = []
    const recipe = new RecipeBuilder((bytes, digest) => nodes.push({ digest, bytes }))
    let carried = 0
    let position = 0
    let chunkCount = 0

    const takeChunk = (start: number, length: number) => {
      const digest = digestOf(this.#window.subarray(start, start + length))
      this.#pending.push({ digest, start, length })
      recipe.push(digest, length)
      chunkCount++
    }

    for (;;) {
      const target = this.#window.subarray(carried, carried + WINDOW_BYTES)
      const count = readFully(fd, target, position)
      const bytes = target.subarray(0, count)
      position += count
      hasher.update(bytes)
      let start = 0
      chunker.push(bytes, (length) => {
        takeChunk(start, length)
        start += length
      })
      const end = carried + count
      const isLast = count < WINDOW_BYTES
      if (isLast && (start < end || chunkCount === 0)) takeChunk(start, end - start)
      await this.#writePending()
      if (nodes.length > 0) {
        await this.#ask({ type: 'recipe', nodes })
        nodes = []
      }
      await this.#ask({ type: 'progress', bytes: count })
      if (isLast) break
      this.#window.copyWithin(0, start, end)
      carried = end - start
    }
    const digest = hasher.digest()
    const root = recipe.finish()
    if (chunkCount > 1) await this.#ask({ type: 'recipe', nodes, blob: { digest, root } })
    return digest
  }

  /** Claims the pending chunks and writes those that are new, before the window is used again. */
  async #writePending(): Promise<void> {
    const pending = this.#pending
    if (pending.length === 0) return
    this.#pending = []
    const digests = new Uint8Array(pending.length * DIGEST_BYTES)
    for (const [i, chunk] of pending.entries()) digests.set(chunk.digest, i * DIGEST_BYTES)
    const verdicts = (await this.#ask({ type: 'claim', digests })) as Uint8Array
    for (const [i, { digest, start, length }] of pending.entries()) {
      if (verdicts[i] === 1) this.#packs.append('chunk', digest, this.#window.subarray(start, start + length))
    }
    await this.#handOver()
  }

  async #handOver(): Promise<void> {
    for (const pack of this.#sealed.splice(0)) await this.#ask({ type: 'sealed', pack })
  }
}
