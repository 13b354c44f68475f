import { closeSync, fstatSync, lstatSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { ContentHasher, contentIdFromDigest, type Digest } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import { decodeNode, type RecipeRoot } from '../format/recipe.ts'
import { writeWhole } from '../store/pack-writer.ts'
import { labelled, readBlob } from '../store/read-blob.ts'
import { readChunks, runReaderOf } from '../store/read-chunks.ts'
import type { RunReader } from '../store/run-reader.ts'
import type { Location } from '../store/segment-reader.ts'
import { Store } from '../store/store.ts'
import type { Task } from '../workers/workers.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
import { readFully } from './read-file.ts'
import { temporaryName } from './temporary-name.ts'

export type FileToMaterialise = {
  index: number
  /** Its directory exists and is no link. */
  path: string
  label: string
  digest: Digest
  sizeBytes: number
  executable: boolean
  /** What stands at `path` now and may be replaced; undefined: nothing. */
  replaces: FileStamp | undefined
  /** Where the file's only chunk is, if that is known. */
  location: Location | undefined
  /** Of a file of several chunks: its recipe, where that is proven, so that the whole need not be. */
  provenRecipe: RecipeRoot | undefined
}

/** What one leaf node of a large file's recipe stands for. */
export type FilePart = {
  index: number
  label: string
  temporary: string
  node: Digest
  start: number
  lengthBytes: number
}

/** A piece of work; `MaterialiseSchedule` shares it out. */
export type MaterialiseJob =
  | { type: 'files'; files: FileToMaterialise[] }
  | { type: 'part'; part: FilePart }
  /** All parts are written: prove the whole, and put it in its place. */
  | { type: 'finish'; file: FileToMaterialise; temporary: string }

export type MaterialiseResult =
  | { type: 'files'; done: { index: number; stamp: FileStamp }[] }
  | { type: 'part'; index: number; bytes: number }

/** Another job, please; this is what came of the last one. The answer is `undefined` when there are no more. */
export type MaterialiseQuestion = { result: MaterialiseResult | undefined }

/** What native code allocates is freed only when the thread's event loop turns. */
const YIELD_BYTES = 4 << 20
const BLOCK_BYTES = 1 << 20

/** Writes files of a version into the workspace: verified, beside their place, then renamed into it. */
export const materialiseTask: Task<{ root: string }, MaterialiseQuestion, MaterialiseJob | undefined, void> =
  {
    name: 'materialise',
    async run({ root }, ask) {
      const store = Store.open(root)
      const runs = runReaderOf(store)
      try {
        let result: MaterialiseResult | undefined
        for (;;) {
          const job = await ask({ result })
          if (job === undefined) return
          result = await work({ store, runs }, job)
        }
      } finally {
        store.close()
      }
    },
  }

type Sources = { store: Store; runs: RunReader }

async function work(sources: Sources, job: MaterialiseJob): Promise<MaterialiseResult> {
  switch (job.type) {
    case 'files':
      return { type: 'files', done: materialiseAll(sources, job.files) }
    case 'part':
      await writePart(sources, job.part)
      return { type: 'part', index: job.part.index, bytes: job.part.lengthBytes }
    case 'finish':
      return { type: 'files', done: [{ index: job.file.index, stamp: finish(job.file, job.temporary) }] }
  }
}

function materialiseAll({ store, runs }: Sources, files: readonly FileToMaterialise[]) {
  const isPlaced = ({ location }: FileToMaterialise) => location !== undefined
  const placed = files.filter(isPlaced)
  const contents = runs.read(placed.map(({ digest, location }) => ({ digest, location: location! })))
  const done = placed.map((file) => {
    // Where the chunk is not good there, another place may have it.
    const content = contents.next().value?.raw
    const pieces = content === undefined ? readBlob(store, file, runReaderOf(store)) : [content]
    return { index: file.index, stamp: materialise(file, pieces) }
  })
  for (const file of files) {
    if (!isPlaced(file))
      done.push({ index: file.index, stamp: materialise(file, readBlob(store, file, runs)) })
  }
  return done
}

/** Writes a file whose content is proven already. */
export function materialise(file: FileToMaterialise, content: Iterable<Buffer>): FileStamp {
  const temporary = join(dirname(file.path), temporaryName())
  try {
    const fd = openSync(temporary, 'wx', modeOf(file))
    try {
      for (const bytes of content) writeWhole(fd, bytes)
      putInPlace(file, temporary)
      return stampOf(fstatSync(fd))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    removeIfThere(temporary)
    throw fromSystemError(error, `writing ${file.label}`)
  }
}

/** Proves a file that was written beside its place, where its recipe is not proven, and puts it there. */
export function finish(file: FileToMaterialise, temporary: string): FileStamp {
  try {
    if (file.provenRecipe === undefined) proveWhole(file, temporary)
    putInPlace(file, temporary)
    return stampOf(lstatSync(file.path))
  } catch (error) {
    throw fromSystemError(error, `writing ${file.label}`)
  }
}

/** @throws WOULD_LOSE_DATA */
function putInPlace(file: FileToMaterialise, temporary: string): void {
  refuseIfChanged(file)
  renameSync(temporary, file.path)
}

/** The file to write to, empty and with its mode. */
export function createTemporary(
  file: { path: string; label: string; executable: boolean },
  name: string = temporaryName(),
): string {
  const temporary = join(dirname(file.path), name)
  try {
    closeSync(openSync(temporary, 'wx', modeOf(file)))
    return temporary
  } catch (error) {
    throw fromSystemError(error, `writing ${file.label}`)
  }
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Less what the user's umask takes. */
function modeOf({ executable }: { executable: boolean }): number {
  return executable ? 0o777 : 0o666
}

/** Writes the chunks of a leaf node, each verified, to where they belong. */
async function writePart(sources: Sources, part: FilePart): Promise<void> {
  try {
    await writeChunks(sources, part)
  } catch (error) {
    throw fromSystemError(labelled(error, part), `writing ${part.label}`)
  }
}

async function writeChunks({ store, runs }: Sources, part: FilePart): Promise<void> {
  const chunks = chunksOf(store, part)
  const fd = openSync(part.temporary, 'r+')
  try {
    let position = part.start
    let sinceYield = 0
    for (const bytes of readChunks(store, chunks, runs)) {
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(fd, bytes, done, bytes.length - done, position + done)
      }
      position += bytes.length
      sinceYield += bytes.length
      if (sinceYield < YIELD_BYTES) continue
      sinceYield = 0
      await setImmediate()
    }
  } finally {
    closeSync(fd)
  }
}

function chunksOf(store: Store, { node, lengthBytes, label }: FilePart) {
  const where = `recipe node ${contentIdFromDigest(node)}`
  const { level, entries } = decodeNode(store.readEntry('node', node), where)
  const total = entries.reduce((sum, entry) => sum + entry.lengthBytes, 0)
  if (level !== 0 || total !== lengthBytes) throw wrongBytes(label, node)
  return entries
}

/** A recipe that came from elsewhere is proven by nothing but what it gives: the whole file is hashed. */
function proveWhole(file: FileToMaterialise, temporary: string): void {
  const hasher = new ContentHasher()
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  const fd = openSync(temporary, 'r')
  let position = 0
  try {
    for (let count = readFully(fd, block, 0); count > 0; count = readFully(fd, block, position)) {
      hasher.update(block.subarray(0, count))
      position += count
    }
  } finally {
    closeSync(fd)
  }
  const isWhole = position === file.sizeBytes && hasher.digest().equals(file.digest)
  if (!isWhole) throw wrongBytes(file.label, file.digest)
}

/** The plan was made a while ago: what stands there now must still be what the plan may replace. */
function refuseIfChanged(file: FileToMaterialise): void {
  const stats = lstatSync(file.path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (file.replaces !== undefined && sameStamp(stampOf(stats), file.replaces)) return
  throw new VarveError('WOULD_LOSE_DATA', `${file.label} was changed while varve was at work`, {
    hint: 'Run the command again to see what it would do now.',
  })
}

export function wrongBytes(label: string, digest: Digest): VarveError {
  const id = contentIdFromDigest(digest)
  return new VarveError('CORRUPT', `${label}: what the store has for ${id} gives other bytes`, {
    hint: 'Run `varve verify --full` to see what is affected.',
  })
}
