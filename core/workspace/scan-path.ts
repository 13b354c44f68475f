import { lstatSync, readlinkSync, rmSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { linkTargetProblem } from '../format/names.ts'
import { stampOf } from './file-stamp.ts'
import { IgnoreRules } from './ignore-rules.ts'
import type { ScannedFile, ScannedLink } from './list-directory.ts'
import { isPartInUse, isPartName } from './part-files.ts'
import { type ScannedDirectory, type ScanResult, scanDirectory } from './scan-directory.ts'
import { type ScanTreeOptions, scanTree } from './scan-tree.ts'

/** What stands at a path of the workspace. */
export type ScannedEntry = ScannedFile | ScannedLink | ScannedDirectory

/**
 * Looks at one path of the repository; a directory is listed with all below it. Varve's own unfinished files
 * that a crash left there are removed.
 * @throws UNSUPPORTED_FILE, NO_PERMISSION, IO
 */
export function scanPath(options: {
  root: string
  /** Relative to the root. */
  path: string
  onProgress?: ((files: number) => void) | undefined
}): ScannedEntry | undefined {
  const { root, path, onProgress } = options
  const absolute = join(root, path)
  const stats = lstat(absolute, path)
  if (!stats?.isDirectory()) return stats && scanFile(absolute, path, stats)
  const ignore = IgnoreRules.load(root, absolute)
  return withoutLeftovers(scanDirectory({ path: absolute, label: path, ignore, onProgress }))
}

/** The same, with what the stat cache knows of each directory as a whole; a large one is looked at in threads. */
export async function scanPathInThreads(options: ScanTreeOptions): Promise<ScannedEntry | undefined> {
  const { root, path } = options
  const absolute = join(root, path)
  const stats = lstat(absolute, path)
  if (!stats?.isDirectory()) return stats && scanFile(absolute, path, stats)
  const scanned = await scanTree(options)
  return scanned && withoutLeftovers(scanned)
}

function scanFile(absolute: string, path: string, stats: Stats): ScannedFile | ScannedLink {
  const name = basename(path)
  const stamp = stampOf(stats)
  if (stats.isFile()) return { kind: (stats.mode & 0o100) === 0 ? 'file' : 'executable', name, stamp }
  if (stats.isSymbolicLink()) {
    const target = readlinkSync(absolute)
    const problem = linkTargetProblem(target)
    if (problem === undefined) return { kind: 'link', name, target, stamp }
    throw new VarveError('UNSUPPORTED_FILE', `${path} is a link whose target ${problem}`, {
      hint: 'Make the link anew with a target that can be stored.',
    })
  }
  throw new VarveError('UNSUPPORTED_FILE', `${path} is neither file, directory nor link`, {
    hint: 'Name a file or a directory.',
  })
}

function withoutLeftovers(scanned: ScanResult): ScannedDirectory {
  for (const leftover of scanned.leftovers) removeLeftover(leftover)
  return scanned
}

function lstat(absolute: string, path: string) {
  try {
    return lstatSync(absolute, { throwIfNoEntry: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
    throw fromSystemError(error, `looking at ${path}`)
  }
}

/** Longer than a file is under way between two writes: a younger one may belong to a checkout that runs beside. */
const LEFTOVER_AGE_MS = 3600 * 1000
/** What there is of a file whose chunks come over a network: the next run goes on with it. */
const PART_AGE_MS = 24 * 3600 * 1000

function removeLeftover(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  const name = basename(path)
  // Of a large file a day may pass from one chunk to the next.
  if (isPartName(name) && isPartInUse(name)) return
  const mostMs = isPartName(name) ? PART_AGE_MS : LEFTOVER_AGE_MS
  if (stats !== undefined && Date.now() - stats.mtimeMs > mostMs) rmSync(path, { force: true })
}
