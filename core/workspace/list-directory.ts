import { isUtf8 } from 'node:buffer'
import { constants, type Dirent, lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs'
import { basename, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { isTooDeep, linkTargetProblem, MAX_DEPTH, nameProblem, quoteName } from '../format/names.ts'
import { sortByName } from '../format/tree.ts'
import { type FileStamp, stampOf } from './file-stamp.ts'
import { IGNORE_FILE_NAME, type IgnoreRules } from './ignore-rules.ts'
import { countStamps, firstStamps, makeStamps, putStamp, type Stamps, stampAt } from './stamps.ts'
import { TEMPORARY_PREFIX } from './temporary-name.ts'

export type ScannedFile = { kind: 'file' | 'executable'; name: string; stamp: FileStamp }
export type ScannedLink = { kind: 'link'; name: string; target: string; stamp: FileStamp }

/**
 * What lies directly in a directory, each list sorted by the UTF-8 bytes of the names. Of files there may be a million,
 * and mostly nobody asks for them one by one: an object each would take 200 bytes, and as long to make as to look at the
 * file.
 */
export type DirectoryListing = {
  /** Joined by slashes, which no name has in it. */
  fileNames: string
  stamps: Stamps
  links: ScannedLink[]
  directories: string[]
  /** Absolute paths of Varve's own temporary files, for the caller to remove. */
  leftovers: string[]
}

export type ListOptions = {
  /** Absolute. */
  path: string
  /** The same relative to the repository, slash-separated, for messages. */
  label: string
  /** The rules for its entries; asked for once it is known that it can be listed. */
  rules: () => IgnoreRules
  /** Called for each file and link found. */
  onFile?: (() => void) | undefined
}

const REPLACEMENT = '\ufffd'
const UNLESS_GONE = { throwIfNoEntry: false } as const

/**
 * Lists a directory, without reading a file or following a link. A file that vanishes meanwhile is taken for deleted.
 * Undefined where the directory itself is gone.
 * @throws UNSUPPORTED_FILE for what no version can hold, NO_PERMISSION, IO; each names the path.
 */
export function listDirectory({ path, label, rules, onFile }: ListOptions): DirectoryListing | undefined {
  if (isTooDeep(label)) {
    throw new VarveError(
      'UNSUPPORTED_FILE',
      `${quoteName(label)} lies more than ${MAX_DEPTH} directories deep`,
      {
        hint: `Move it up, or leave it out in ${IGNORE_FILE_NAME}.`,
      },
    )
  }
  const entries = listEntries(path, label)
  if (entries === undefined) return undefined
  const ignore = rules()
  const fileNames: string[] = []
  const stamps = makeStamps(entries.length)
  const links: ScannedLink[] = []
  const directories: string[] = []
  const leftovers: string[] = []
  let previous = ''
  for (const entry of entries) {
    const { name } = entry
    // The system may tell of a name twice while others are renamed.
    if (name === previous) continue
    previous = name
    if (name.startsWith(TEMPORARY_PREFIX)) {
      leftovers.push(join(path, name))
      continue
    }
    if (ignore.isIgnored(name, entry.isDirectory())) continue
    const problem = nameProblem(name)
    if (problem !== undefined) throw nameError(label, name, problem)
    if (name.includes(REPLACEMENT)) checkUtf8(path, label, name)
    if (entry.isDirectory()) {
      directories.push(name)
      continue
    }

    const entryLabel = `${label}/${name}`
    const entryPath = `${path}/${name}`
    const stats = statOf(entryPath, entryLabel)
    if (stats === undefined) continue
    switch (stats.mode & constants.S_IFMT) {
      case constants.S_IFREG:
        putStamp(stamps, fileNames.push(name) - 1, stampOf(stats))
        break
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
    onFile?.()
  }
  return {
    fileNames: fileNames.join('/'),
    stamps: firstStamps(stamps, fileNames.length),
    links,
    directories,
    leftovers,
  }
}

/** Files and links. */
export function countFiles({ stamps, links }: DirectoryListing): number {
  return countStamps(stamps) + links.length
}

/** The files of a listing, made as they are asked for: kept, a million take 200 MB. */
export function* filesOf({ fileNames, stamps }: DirectoryListing): Generator<ScannedFile> {
  if (stamps.length === 0) return
  let index = 0
  for (const name of fileNames.split('/')) {
    const stamp = stampAt(stamps, index++)
    yield { kind: isExecutable(stamp) ? 'executable' : 'file', name, stamp }
  }
}

function isExecutable({ mode }: FileStamp): boolean {
  return (mode & 0o100) !== 0
}

/** Sorted; undefined where the directory is gone. */
function listEntries(path: string, label: string): Dirent[] | undefined {
  try {
    return sortByName(readdirSync(path, { withFileTypes: true }))
  } catch (error) {
    if (isGone(error)) return undefined
    throw fromSystemError(error, `listing ${label}`)
  }
}

function statOf(path: string, label: string): Stats | undefined {
  try {
    return lstatSync(path, UNLESS_GONE)
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
