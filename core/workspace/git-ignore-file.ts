import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, posix } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { syncFolder } from '../store/durable.ts'
import { temporaryName } from './temporary-name.ts'

const IGNORE_NAME = '.gitignore'
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'

/**
 * Makes git ignore `path`, relative to `root`: a line of its own in the `.gitignore` of its folder. Gives the
 * root-relative path of that `.gitignore` if it had to be written. A later line that takes the rule back (`!NAME`) is
 * left alone.
 * @throws UNSUPPORTED_FILE when the `.gitignore` is no regular file; NO_SPACE, NO_PERMISSION, IO
 */
export function ensureIgnored(root: string, path: string): string | undefined {
  return ensureAllIgnored(root, [path])[0]
}

/** The same for many paths; each `.gitignore` is written once. Gives those that had to be. */
export function ensureAllIgnored(root: string, paths: readonly string[]): string[] {
  const linesByFolder = new Map<string, string[]>()
  for (const path of paths) {
    const folder = posix.dirname(path)
    const lines = linesByFolder.get(folder)
    if (lines === undefined) linesByFolder.set(folder, [ignoreLineOf(path)])
    else lines.push(ignoreLineOf(path))
  }
  return [...linesByFolder].flatMap(
    ([folder, lines]) => editIgnoreFile(root, folder, (text) => withLines(text, lines)) ?? [],
  )
}

function withLines(text: string, wanted: readonly string[]): string {
  const there = new Set(linesOf(text))
  const missing = [...new Set(wanted)].filter((line) => !there.has(line))
  if (missing.length === 0) return text
  const lineEnd = /\r\n$/.test(text) || /\r\n[^\n]+$/.test(text) ? '\r\n' : '\n'
  const isOpen = text !== '' && text !== BYTE_ORDER_MARK && !text.endsWith('\n')
  return `${text}${isOpen ? lineEnd : ''}${missing.map((line) => line + lineEnd).join('')}`
}

/**
 * Takes out the line that `ensureIgnored` adds for `path`, and the `.gitignore` itself if that was all of it. Gives
 * the root-relative path of the `.gitignore` if the line was there.
 * @throws as `ensureIgnored` does
 */
export function removeIgnored(root: string, path: string): string | undefined {
  const line = ignoreLineOf(path)
  return editIgnoreFile(root, posix.dirname(path), (text) => {
    const mark = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK : ''
    const kept = text
      .slice(mark.length)
      .split(/(?<=\n)/)
      .filter((there) => there.replace(/\r?\n$/, '') !== line)
      .join('')
    return kept === '' ? '' : mark + kept
  })
}

/**
 * For those who cannot stop halfway: what `ensureIgnored` would refuse.
 * @throws UNSUPPORTED_FILE when the `.gitignore` beside `path` is no regular file
 */
export function refuseOddIgnoreFile(root: string, path: string): void {
  const ignorePath = posix.join(posix.dirname(path), IGNORE_NAME)
  const stats = lstatSync(join(root, ignorePath), { throwIfNoEntry: false })
  if (stats !== undefined && !stats.isFile()) throw notRegular(ignorePath, stats.isSymbolicLink())
}

/**
 * The pattern that means this one name in this one folder, each of its bytes a character. The slash in front also
 * keeps a leading `#` or `!` from meaning more than itself.
 */
function ignoreLineOf(path: string): string {
  const pattern = posix
    .basename(path)
    .replace(/[\\*?[\]]/g, '\\$&')
    .replace(/ +$/, (spaces) => '\\ '.repeat(spaces.length))
  return Buffer.from(`/${pattern}`).toString('latin1')
}

function linesOf(text: string): string[] {
  return text.replace(BYTE_ORDER_MARK, '').split(/\r?\n/)
}

/** `edit` sees each byte as one character, so that a file in any encoding comes through as it was. */
function editIgnoreFile(root: string, folder: string, edit: (text: string) => string): string | undefined {
  const ignorePath = posix.join(folder, IGNORE_NAME)
  const absolute = join(root, ignorePath)
  try {
    const stats = lstatSync(absolute, { throwIfNoEntry: false })
    if (stats !== undefined && !stats.isFile()) throw notRegular(ignorePath, stats.isSymbolicLink())
    const before = stats === undefined ? '' : readFileSync(absolute, 'latin1')
    const after = edit(before)
    if (after === before) return undefined
    if (after === '') unlinkSync(absolute)
    else replaceFile(absolute, Buffer.from(after, 'latin1'), stats === undefined ? undefined : stats.mode)
    syncFolder(join(root, folder))
    return ignorePath
  } catch (error) {
    throw fromSystemError(error, `writing ${ignorePath}`)
  }
}

function replaceFile(path: string, bytes: Buffer, mode: number | undefined): void {
  const temporary = join(path, '..', temporaryName())
  try {
    const fd = openSync(temporary, 'wx')
    try {
      writeFileSync(fd, bytes)
      if (mode !== undefined) fchmodSync(fd, mode & 0o777)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function notRegular(path: string, isLink: boolean): VarveError {
  return new VarveError('UNSUPPORTED_FILE', `${path} is ${isLink ? 'a symbolic link' : 'no regular file'}`, {
    hint: 'Put a regular file in its place, with the same rules: git reads no other.',
  })
}
