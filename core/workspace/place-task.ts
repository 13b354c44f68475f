import { closeSync, openSync, writeSync } from 'node:fs'
import type { Digest } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import type { PackEntry, PackName } from '../format/pack.ts'
import { verifyChecksum } from '../store/entry-codec.ts'
import { RunReader } from '../store/run-reader.ts'
import type { Location } from '../store/segment-reader.ts'
import { Store } from '../store/store.ts'
import type { Task } from '../workers/workers.ts'
import type { FileStamp } from './file-stamp.ts'
import { type FileToMaterialise, finish, materialise, removeIfThere } from './materialise-task.ts'

/** Where a chunk goes: it is a whole file, or belongs somewhere in one that is being written beside its place. */
export type ChunkTarget =
  | { type: 'file'; file: FileToMaterialise }
  | { type: 'part'; label: string; temporary: string; position: number }

/** What arrived from outside, or lies in the store, and where it goes: `targets` by the place in `entries`. */
export type PlaceJob =
  | {
      type: 'block'
      pack: PackName
      start: number
      bytes: Uint8Array<ArrayBuffer>
      entries: Omit<PackEntry, 'kind'>[]
      targets: ChunkTarget[][]
    }
  | { type: 'stored'; entries: { digest: Digest; location: Location }[]; targets: ChunkTarget[][] }
  /** All chunks are written: prove the whole, and put it in its place. */
  | { type: 'finish'; file: FileToMaterialise; temporary: string }

export type PlaceResult =
  /** `bad` are places in `entries`, of those whose bytes are not what they should be: they went nowhere. */
  | { type: 'placed'; done: { index: number; stamp: FileStamp }[]; bad: number[] }
  /** `stamp` is undefined where all chunks were good and the whole is another file: its recipe is a lie. */
  | { type: 'finished'; index: number; stamp: FileStamp | undefined }

/** Another job, please; this is what came of the last one. The answer is `undefined` when there are no more. */
export type PlaceQuestion = { result: PlaceResult | undefined }

/**
 * Writes chunks, as they come and in any order, to where they belong in the workspace: each is verified before, each
 * file as a whole before it is renamed into place.
 */
export const placeTask: Task<{ root: string }, PlaceQuestion, PlaceJob | undefined, void> = {
  name: 'place',
  async run({ root }, ask) {
    const store = Store.open(root)
    try {
      let result: PlaceResult | undefined
      for (;;) {
        const job = await ask({ result })
        if (job === undefined) return
        result = work(store, job)
      }
    } finally {
      store.close()
    }
  },
  buffersIn: (job) => (job?.type === 'block' ? [job.bytes.buffer] : []),
}

function work(store: Store, job: PlaceJob): PlaceResult {
  switch (job.type) {
    case 'block':
      return placeAll(job.targets, contentsOfBlock(job))
    case 'stored':
      return placeAll(job.targets, contentsInStore(store, job))
    case 'finish':
      return finishFile(job)
  }
}

/** Undefined for what is bad. */
function* contentsOfBlock(job: Extract<PlaceJob, { type: 'block' }>): Generator<Buffer | undefined> {
  const { pack, start } = job
  const bytes = Buffer.from(job.bytes.buffer, job.bytes.byteOffset, job.bytes.byteLength)
  const storedAt = (offset: number, lengthBytes: number) =>
    bytes.subarray(offset - start, offset - start + lengthBytes)
  const runs = new RunReader((_, offset, lengthBytes) => storedAt(offset, lengthBytes))
  const entries = job.entries.map((entry) => ({
    digest: entry.digest,
    location: { ...entry, kind: 'chunk' as const, pack },
  }))
  let index = 0
  for (const { stored, raw } of runs.read(entries)) {
    const { digest, checksum } = job.entries[index++]!
    yield stored !== undefined && isAsWritten({ digest, checksum }, stored) ? raw : undefined
  }
}

function isAsWritten({ digest, checksum }: { digest: Digest; checksum: bigint }, stored: Buffer): boolean {
  try {
    verifyChecksum({ kind: 'chunk', digest, checksum }, stored)
    return true
  } catch (error) {
    if (error instanceof VarveError) return false
    throw error
  }
}

function* contentsInStore(
  store: Store,
  { entries }: Extract<PlaceJob, { type: 'stored' }>,
): Generator<Buffer> {
  let index = 0
  for (const { raw } of new RunReader((...where) => store.packs.read(...where)).read(entries)) {
    const { digest } = entries[index++]!
    // Where the chunk is not good there, another place may have it.
    yield raw ?? store.readEntry('chunk', digest)
  }
}

function placeAll(
  targets: readonly ChunkTarget[][],
  contents: Iterable<Buffer | undefined>,
): Extract<PlaceResult, { type: 'placed' }> {
  const done: { index: number; stamp: FileStamp }[] = []
  const bad: number[] = []
  const writer = new PartWriter()
  try {
    let index = 0
    for (const content of contents) {
      if (content === undefined) bad.push(index)
      for (const target of content === undefined ? [] : targets[index]!) {
        if (target.type === 'part') writer.write(target, content!)
        else done.push({ index: target.file.index, stamp: materialise(target.file, [content!]) })
      }
      index++
    }
  } finally {
    writer.close()
  }
  return { type: 'placed', done, bad }
}

/** Keeps the file open that was written to last: chunks of one come one after the other. */
class PartWriter {
  #open: { temporary: string; fd: number } | undefined

  write({ label, temporary, position }: Extract<ChunkTarget, { type: 'part' }>, bytes: Buffer): void {
    try {
      const fd = this.#fd(temporary)
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, bytes.length - done, position + done)
      }
    } catch (error) {
      throw fromSystemError(error, `writing ${label}`)
    }
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open.fd)
    this.#open = undefined
  }

  #fd(temporary: string): number {
    if (this.#open?.temporary !== temporary) {
      this.close()
      this.#open = { temporary, fd: openSync(temporary, 'r+') }
    }
    return this.#open.fd
  }
}

function finishFile({ file, temporary }: Extract<PlaceJob, { type: 'finish' }>): PlaceResult {
  try {
    return { type: 'finished', index: file.index, stamp: finish(file, temporary) }
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'CORRUPT') throw error
    removeIfThere(temporary)
    return { type: 'finished', index: file.index, stamp: undefined }
  }
}
