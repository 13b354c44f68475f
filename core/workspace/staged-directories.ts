import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { temporaryName } from './temporary-name.ts'

/** What a kill can cost: a directory is there as a whole or not at all. */
const MOST_BYTES = 128 << 20
/** Fewer files do not make up for the calls that the directory itself takes. */
const FEWEST_FILES = 8

type Staged = { path: string; temporary: string; filesLeft: number; isInPlace: boolean }

/**
 * New directories of many small files. They are filled under a temporary name beside their own and then renamed as a
 * whole: no file needs a name and a rename of its own, and nobody ever sees a part of one.
 */
export class StagedDirectories {
  readonly #root: string
  readonly #staged = new Map<string, Staged>()

  /**
   * Takes those of `files` whose directories `isNew` says are to be made, within another directory of the version, with
   * nothing but these files in them. Makes what they lie in.
   */
  constructor(options: {
    root: string
    files: readonly { path: string; sizeBytes: number }[]
    isNew: (directory: string) => boolean
    makeParent: (directory: string) => void
  }) {
    const { root, files, isNew, makeParent } = options
    this.#root = root
    // Windows renames no directory in which another program, a virus scanner say, has a file open.
    if (process.platform === 'win32') return
    for (const [path, { count, bytes }] of weighDirectories(files)) {
      if (count < FEWEST_FILES || bytes > MOST_BYTES || !isNew(path)) continue
      makeParent(dirname(path))
      this.#staged.set(path, { path, temporary: this.#makeBeside(path), filesLeft: count, isInPlace: false })
    }
  }

  has(directory: string): boolean {
    return this.#staged.has(directory)
  }

  /** Where the file is to be written for now, absolute; undefined where its directory is not staged. */
  placeOf(path: string): string | undefined {
    const staged = this.#staged.get(dirname(path))
    return staged && join(staged.temporary, basename(path))
  }

  /** The file is written. After the last of them, their directory is in its place. @throws WOULD_LOSE_DATA, IO */
  finish(path: string): void {
    const staged = this.#staged.get(dirname(path))
    if (staged === undefined || --staged.filesLeft > 0) return
    try {
      renameSync(staged.temporary, join(this.#root, staged.path))
      staged.isInPlace = true
    } catch (error) {
      throw isTaken(error) ? changed(staged.path) : fromSystemError(error, `writing ${staged.path}`)
    }
  }

  /** After a failure: removes what is not in its place. */
  discard(): void {
    for (const { temporary, isInPlace } of this.#staged.values()) {
      if (!isInPlace) rmSync(temporary, { recursive: true, force: true })
    }
  }

  #makeBeside(path: string): string {
    const temporary = join(this.#root, dirname(path), temporaryName())
    try {
      mkdirSync(temporary)
    } catch (error) {
      throw fromSystemError(error, `making the directory ${path}`)
    }
    return temporary
  }
}

function weighDirectories(files: readonly { path: string; sizeBytes: number }[]) {
  const weights = new Map<string, { count: number; bytes: number }>()
  for (const { path, sizeBytes } of files) {
    const directory = dirname(path)
    const weight = weights.get(directory)
    if (weight === undefined) {
      weights.set(directory, { count: 1, bytes: sizeBytes })
    } else {
      weight.count++
      weight.bytes += sizeBytes
    }
  }
  return weights
}

/** Somebody else made something there meanwhile. */
function isTaken(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR'
}

function changed(path: string): VarveError {
  return new VarveError('WOULD_LOSE_DATA', `${path} was changed while varve was at work`, {
    hint: 'Run the command again to see what it would do now.',
  })
}
