import { closeSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Digest } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import { writeWhole } from '../store/pack-writer.ts'
import { readBlob } from '../store/read-blob.ts'
import type { Location } from '../store/segment-reader.ts'
import { Store } from '../store/store.ts'
import type { Task } from '../workers/workers.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
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
}

/** More files, please; these are in place. The answer is `undefined` when there are no more. */
export type MaterialiseQuestion = { done: { index: number; stamp: FileStamp }[] }

/** Writes files of a version into the workspace: verified, beside their place, then renamed into it. */
export const materialiseTask: Task<
  { root: string },
  MaterialiseQuestion,
  FileToMaterialise[] | undefined,
  void
> = {
  name: 'materialise',
  async run({ root }, ask) {
    const store = Store.open(root)
    try {
      let done: { index: number; stamp: FileStamp }[] = []
      for (;;) {
        const files = await ask({ done })
        if (files === undefined) return
        done = files.map((file) => ({ index: file.index, stamp: materialise(store, file) }))
      }
    } finally {
      store.close()
    }
  },
}

function materialise(store: Store, file: FileToMaterialise): FileStamp {
  const temporary = join(dirname(file.path), temporaryName())
  try {
    writeContent(store, file, temporary)
    refuseIfChanged(file)
    renameSync(temporary, file.path)
  } catch (error) {
    try {
      unlinkSync(temporary)
    } catch {
      // It was never made.
    }
    throw fromSystemError(error, `writing ${file.label}`)
  }
  return stampOf(lstatSync(file.path))
}

function writeContent(store: Store, file: FileToMaterialise, temporary: string): void {
  const fd = openSync(temporary, 'wx', file.executable ? 0o777 : 0o666)
  try {
    if (file.location !== undefined && writeWholeChunk(store, file, fd)) return
    for (const bytes of readBlob(store, file)) writeWhole(fd, bytes)
  } finally {
    closeSync(fd)
  }
}

/** False when the chunk is not good there: another place may have it. */
function writeWholeChunk(store: Store, file: FileToMaterialise, fd: number): boolean {
  let bytes: Buffer
  try {
    bytes = store.readAt(file.location!, file.digest)
  } catch (error) {
    if (error instanceof VarveError) return false
    throw error
  }
  writeWhole(fd, bytes)
  return true
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
