import { isUtf8 } from 'node:buffer'
import { constants, type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { isTooDeep, linkTargetProblem, MAX_DEPTH, nameProblem, quoteName } from '../format/names.ts'
import { compareNames } from '../format/tree.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { IGNORE_FILE_NAME, type IgnoreRules } from './ignore-rules.ts'
import { TEMPORARY_PREFIX } from './temporary-name.ts'

export type ScannedFile = { kind: 'file' | 'executable'; name: string; stamp: FileStamp }
export type ScannedLink = { kind: 'link'; name: string; target: string; stamp: FileStamp }
/** Each list is sorted by the UTF-8 bytes of the names. */
export type ScannedDirectory = {
  name: string
  files: ScannedFile[]
  links: ScannedLink[]
  directories: ScannedDirectory[]
}
/** `leftovers` are absolute paths of Varve's own temporary files, for the caller to remove. */
export type ScanResult = ScannedDirectory & { leftovers: string[] }

export type ScanOptions = {
  /** Absolute. */
  path: string
  /** The same relative to the repository, slash-separated, for messages. */
  label: string
  /** The rules for the entries of `path`. */
  ignore: IgnoreRules
  /** Told how many files were found so far, now and then. */
  onProgress?: ((files: number) => void) | undefined
}

const PROGRESS_EVERY = 1000
const REPLACEMENT = '\ufffd'

/**
 * Lists what a directory holds, without reading a file or following a link. Empty directories count. A file that
 * vanishes meanwhile is taken for deleted. 200,000 files take about a second.
 * @throws UNSUPPORTED_FILE for what no version can hold, NO_PERMISSION, NOT_FOUND, IO; each names the path.
 */
export function scanDirectory(options: ScanOptions): ScanResult {
  const scan: Scan = { leftovers: [], fileCount: 0, onProgress: options.onProgress }
  const { path, label, ignore } = options
  const isDirectory = statOf(path, label)?.isDirectory() ?? false
  const entries = isDirectory ? listEntries(path, label) : undefined
  if (entries === undefined) throw new VarveError('NOT_FOUND', `no such directory: ${label}`)
  const { name, files, links, directories } = scanEntries(scan, {
    name: basename(path),
    path,
    label,
    ignore,
    entries,
  })
  scan.onProgress?.(scan.fileCount)
  return { name, files, links, directories, leftovers: scan.leftovers }
}

type Scan = {
  leftovers: string[]
  fileCount: number
  onProgress: ScanOptions['onProgress']
}

type Place = { name: string; path: string; label: string; ignore: IgnoreRules; entries: Dirent[] }

function scanEntries(scan: Scan, place: Place): ScannedDirectory {
  const { path, label, ignore } = place
  if (isTooDeep(label)) {
    throw new VarveError(
      'UNSUPPORTED_FILE',
      `${quoteName(label)} lies more than ${MAX_DEPTH} directories deep`,
      {
        hint: `Move it up, or leave it out in ${IGNORE_FILE_NAME}.`,
      },
    )
  }
  const files: ScannedFile[] = []
  const links: ScannedLink[] = []
  const directories: ScannedDirectory[] = []
  for (const entry of place.entries) {
    const { name } = entry
    if (name.startsWith(TEMPORARY_PREFIX)) {
      scan.leftovers.push(join(path, name))
      continue
    }
    const entryLabel = `${label}/${name}`
    const entryPath = `${path}/${name}`
    if (ignore.isIgnored(name, entry.isDirectory())) continue
    const problem = nameProblem(name)
    if (problem !== undefined) throw nameError(label, name, problem)
    if (name.includes(REPLACEMENT)) checkUtf8(path, label, name)

    if (entry.isDirectory()) {
      const entries = listEntries(entryPath, entryLabel)
      if (entries === undefined) continue
      const rules = ignore.enter(name, entryPath)
      directories.push(
        scanEntries(scan, { name, path: entryPath, label: entryLabel, ignore: rules, entries }),
      )
      continue
    }

    const stats = statOf(entryPath, entryLabel)
    if (stats === undefined) continue
    switch (stats.mode & constants.S_IFMT) {
      case constants.S_IFREG: {
        const kind = (stats.mode & 0o100) !== 0 ? 'executable' : 'file'
        files.push({ kind, name, stamp: stampOf(stats) })
        break
      }
      case constants.S_IFLNK: {
        const target = targetOf(entryPath, entryLabel)
        if (target === undefined) continue
        links.push({ kind: 'link', name, target, stamp: stampOf(stats) })
        break
      }
      case constants.S_IFDIR:
        throw changedKind(entryLabel)
      default:
        throw new VarveError('UNSUPPORTED_FILE', `${entryLabel} is ${describeKind(stats)}`, {
          hint: leaveOut(name),
        })
    }
    if (++scan.fileCount % PROGRESS_EVERY === 0) scan.onProgress?.(scan.fileCount)
  }
  return { name: place.name, files, links, directories }
}

/** Sorted; undefined where the directory is gone. */
function listEntries(path: string, label: string): Dirent[] | undefined {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => compareNames(a.name, b.name))
  } catch (error) {
    if (isGone(error)) return undefined
    throw fromSystemError(error, `listing ${label}`)
  }
}

function statOf(path: string, label: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    if (isGone(error)) return undefined
    throw fromSystemError(error, `looking at ${label}`)
  }
}

function targetOf(path: string, label: string): string | undefined {
  let raw: Buffer
  try {
    raw = readlinkSync(path, { encoding: 'buffer' })
  } catch (error) {
    if (isGone(error)) return undefined
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') throw changedKind(label)
    throw fromSystemError(error, `reading the link ${label}`)
  }
  const target = raw.toString('utf8')
  const problem = isUtf8(raw) ? linkTargetProblem(target) : 'is not UTF-8'
  if (problem === undefined) return target
  throw new VarveError('UNSUPPORTED_FILE', `${label} is a link whose target ${escapeBytes(raw)} ${problem}`, {
    hint: leaveOut(basename(path)),
  })
}

/** What is not UTF-8 decodes to U+FFFD, which is also a character that a name may truly have. */
function checkUtf8(path: string, label: string, name: string): void {
  const raw = readdirSync(path, { encoding: 'buffer' }).find((raw) => raw.toString() === name && !isUtf8(raw))
  if (raw === undefined) return
  throw new VarveError(
    'UNSUPPORTED_FILE',
    `${label} has a name in it that is not UTF-8: ${escapeBytes(raw)}`,
    {
      hint: `Rename the file, or leave it out with a pattern in ${IGNORE_FILE_NAME} (a ? or * stands for the odd bytes).`,
    },
  )
}

function nameError(label: string, name: string, problem: string): VarveError {
  const readsAsGit = problem.includes('.git')
  return new VarveError('UNSUPPORTED_FILE', `${label}: the name ${quoteName(name)} ${problem}`, {
    hint: readsAsGit
      ? `Add ${quoteName(name)} to ${IGNORE_FILE_NAME}, or remove it: a repository inside a dataset is not versioned.`
      : `Rename it, or add it to ${IGNORE_FILE_NAME}.`,
  })
}

function changedKind(label: string): VarveError {
  return new VarveError(
    'CHANGED_WHILE_READING',
    `${label} was replaced while its directory was being listed`,
    {
      hint: 'Run the command again when nothing else writes there.',
      retryable: true,
    },
  )
}

function leaveOut(name: string): string {
  return `Add ${quoteName(name)} to ${IGNORE_FILE_NAME}, or remove it.`
}

function describeKind(stats: Stats): string {
  if (stats.isSocket()) return 'a socket'
  if (stats.isFIFO()) return 'a named pipe'
  if (stats.isBlockDevice()) return 'a block device'
  if (stats.isCharacterDevice()) return 'a character device'
  return 'neither file, directory nor link'
}

/** Printable ASCII as it is, every other byte as `\xe9`. */
function escapeBytes(raw: Buffer): string {
  return raw
    .toString('latin1')
    .replace(/[^ -[\]-~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOENT' || code === 'ENOTDIR'
}
