import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import type { OnProgress } from '../progress.ts'
import type { Store } from '../store/store.ts'
import type { Workers } from '../workers/workers.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
import { materialiseFiles } from './materialise-files.ts'
import type { CheckoutPlan } from './plan-checkout.ts'
import type { StatCache } from './stat-cache.ts'
import { temporaryName } from './temporary-name.ts'

/**
 * Carries out a plan. What the version has is written before what it lacks is removed, so that a kill in between
 * leaves more than was asked for and never less. Running it again ends the work.
 * @throws WOULD_LOSE_DATA for a file that was changed since the plan was made; HOSTILE for a link in the way of a path
 */
export async function applyCheckout(options: {
  root: string
  store: Store
  cache: StatCache
  workers: Workers
  plan: CheckoutPlan
  /** Instead of writing the plan's files from the store. Their directories exist by then. */
  writeFiles?: (() => Promise<void>) | undefined
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { root, cache, plan } = options
  const directories = new DirectoryMaker(root)
  const isInTheWay = placesTaken(plan)
  const [first, last] = partition(plan.remove, ({ path }) => isInTheWay(path))
  const remove = ({ path, stamp }: { path: string; stamp: FileStamp }) => {
    if (directories.has(dirname(path))) removeFile(root, path, stamp)
  }
  const removeEmpty = (path: string) => {
    if (directories.has(dirname(path))) removeDirectory(root, path)
  }
  first.forEach(remove)
  plan.removeDirectories.filter(isInTheWay).forEach(removeEmpty)
  for (const path of plan.makeDirectories) directories.make(path)
  for (const { path } of plan.write) directories.make(dirname(path))
  if (options.writeFiles === undefined) await materialiseFiles({ ...options, files: plan.write })
  else await options.writeFiles()
  for (const link of plan.link) {
    directories.make(dirname(link.path))
    writeLink(root, link)
  }
  for (const { path, executable } of plan.setExecutable) setExecutable(root, path, executable)
  last.forEach(remove)
  for (const { path } of plan.remove) cache.forget(path)
  plan.removeDirectories.forEach(removeEmpty)
  cache.flush()
}

/** Tells what must go first, because the version has something else in its place, above it or below it. */
function placesTaken(plan: CheckoutPlan): (path: string) => boolean {
  const files = new Set([...plan.write, ...plan.link].map(({ path }) => path))
  const directories = new Set(plan.makeDirectories)
  for (const path of files) for (const parent of parentsOf(path)) directories.add(parent)
  return (path) =>
    files.has(path) || directories.has(path) || parentsOf(path).some((parent) => files.has(parent))
}

function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    parents.push(path.slice(0, at))
  return parents
}

function partition<T>(items: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  const passed: T[] = []
  const failed: T[] = []
  for (const item of items) (test(item) ? passed : failed).push(item)
  return [passed, failed]
}

/** Makes and finds directories below the root one by one, never through a link. */
class DirectoryMaker {
  readonly #root: string
  readonly #made = new Set<string>(['.', ''])
  readonly #seen = new Set<string>(['.', ''])

  constructor(root: string) {
    this.#root = root
  }

  make(path: string): void {
    if (this.#made.has(path)) return
    this.make(dirname(path))
    const absolute = join(this.#root, path)
    const stats = lstatSync(absolute, { throwIfNoEntry: false })
    if (stats === undefined) {
      try {
        mkdirSync(absolute)
      } catch (error) {
        throw fromSystemError(error, `making the directory ${path}`)
      }
    } else if (!stats.isDirectory()) {
      throw new VarveError('HOSTILE', `${path} is a link or file where a directory belongs`, {
        hint: 'Move it away, then run the command again: varve writes through no link.',
      })
    }
    this.#made.add(path)
  }

  /** Whether the path is a directory, and is reached through no link. */
  has(path: string): boolean {
    if (this.#seen.has(path)) return true
    if (!this.has(dirname(path))) return false
    const isThere = lstatSync(join(this.#root, path), { throwIfNoEntry: false })?.isDirectory() ?? false
    if (isThere) this.#seen.add(path)
    return isThere
  }
}

function removeFile(root: string, path: string, stamp: FileStamp): void {
  const absolute = join(root, path)
  const stats = lstatSync(absolute, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!sameStamp(stampOf(stats), stamp)) throw changed(path)
  unlinkSync(absolute)
}

/** A directory that something was put into meanwhile stays. */
function removeDirectory(root: string, path: string): void {
  try {
    rmdirSync(join(root, path))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT' && code !== 'ENOTDIR') throw error
  }
}

function writeLink(root: string, link: CheckoutPlan['link'][number]): void {
  const absolute = join(root, link.path)
  const stats = lstatSync(absolute, { throwIfNoEntry: false })
  const expected = link.replaces?.stamp
  if (stats !== undefined && !(expected !== undefined && sameStamp(stampOf(stats), expected)))
    throw changed(link.path)
  const temporary = join(dirname(absolute), temporaryName())
  symlinkSync(link.target, temporary)
  renameSync(temporary, absolute)
}

function setExecutable(root: string, path: string, executable: boolean): void {
  const absolute = join(root, path)
  const { mode } = lstatSync(absolute)
  // Who may read may run, as git does it.
  const allowed = (mode & 0o444) >> 2
  chmodSync(absolute, executable ? mode | allowed : mode & ~0o111)
}

function changed(path: string): VarveError {
  return new VarveError('WOULD_LOSE_DATA', `${path} was changed while varve was at work`, {
    hint: 'Run the command again to see what it would do now.',
  })
}
