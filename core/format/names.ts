import { VarveError } from '../errors.ts'

export const MAX_NAME_BYTES = 255
export const MAX_PATH_BYTES = 4096
export const MAX_LINK_TARGET_BYTES = 4096
/** Of directories within each other. */
export const MAX_DEPTH = 1024

/** Printable ASCII without separators that does not begin as `.git`, `git~1`, `.` or `..` do: nothing more to ask. */
const PLAIN_NAME = /^[ -\-0-FH-[\]-fh-~][ -.0-[\]-~]{0,254}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to find
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const LONE_SURROGATE = /\p{Surrogate}/u
/** Code points that a reader does not see and some filesystems do not compare; a superset of those that HFS+ ignores. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu
/** After folding: `.git` itself, or one of its NTFS short names, then what Windows drops or takes for a stream. */
const READS_AS_GIT = /^(?:\.git|git~[0-9]+|gi2837~[0-9]+)[. ]*(?::|$)/

/**
 * Checks one component of a path that came from a tree, pack, remote or pointer; docs/formats/names.md gives the rules.
 * @throws HOSTILE, naming `where`.
 */
export function checkName(name: string, where: string): void {
  if (PLAIN_NAME.test(name)) return
  const problem = nameProblem(name)
  if (problem !== undefined) throw hostile(`${where}: the name ${quoteName(name)} ${problem}`)
}

/**
 * Checks how deep a listing of hostile origin goes: whoever walks it would run out of stack before out of directories.
 * @throws HOSTILE
 */
export function checkDepth(path: string): void {
  if (isTooDeep(path)) throw hostile(`${quoteName(path)} lies more than ${MAX_DEPTH} directories deep`)
}

export function isTooDeep(path: string): boolean {
  let depth = 0
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) depth++
  return depth > MAX_DEPTH
}

/** Why `name` can be no component of a path on any platform, to be read after the name; undefined if it can. */
export function nameProblem(name: string): string | undefined {
  if (PLAIN_NAME.test(name)) return undefined
  if (name === '') return 'is empty'
  if (name === '.' || name === '..') return 'stands for a folder, and names none'
  if (name.includes('/')) return 'has a path separator in it'
  if (name.includes('\\')) return 'has a backslash in it, which is a path separator on Windows'
  if (CONTROL.test(name)) return 'has a control character in it'
  if (LONE_SURROGATE.test(name)) return 'is not valid Unicode (a lone surrogate)'
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `is longer than ${MAX_NAME_BYTES} bytes`
  if (readsAsGit(name)) return 'reads as .git on some platform'
  return undefined
}

/**
 * Splits a slash-separated relative path from a hostile source into its checked components.
 * On Windows the caller asks `windowsProblem` about each component as well.
 * @throws HOSTILE, naming `where`.
 */
export function checkRelativePath(path: string, where: string): string[] {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw hostile(`${where}: the path ${quoteName(path)} is longer than ${MAX_PATH_BYTES} bytes`)
  }
  if (path.startsWith('/') || /^[A-Za-z]:(?:\/|$)/.test(path)) {
    throw hostile(`${where}: the path ${quoteName(path)} is absolute`)
  }
  const components = path.split('/')
  for (const name of components) {
    const problem = nameProblem(name)
    if (problem !== undefined) {
      throw hostile(`${where}: in the path ${quoteName(path)}, the name ${quoteName(name)} ${problem}`)
    }
  }
  return components
}

/**
 * Checks the target of a symbolic link. It is content, which nothing here ever follows, so it may be absolute or
 * climb out of the repository; it must only be text that every platform and every format can hold.
 * @throws HOSTILE, naming `where`.
 */
export function checkLinkTarget(target: string, where: string): void {
  const problem = linkTargetProblem(target)
  if (problem !== undefined) throw hostile(`${where}: the link target ${quoteName(target)} ${problem}`)
}

/** Why `target` can be no link target, to be read after the target; undefined if it can. */
export function linkTargetProblem(target: string): string | undefined {
  if (target === '') return 'is empty'
  if (CONTROL.test(target)) return 'has a control character in it'
  if (LONE_SURROGATE.test(target)) return 'is not valid Unicode (a lone surrogate)'
  if (Buffer.byteLength(target) > MAX_LINK_TARGET_BYTES) {
    return `is longer than ${MAX_LINK_TARGET_BYTES} bytes`
  }
  return undefined
}

/** Why Windows cannot hold `name`, to be read after the name; undefined if it can. Assumes `nameProblem` found none. */
export function windowsProblem(name: string): string | undefined {
  const forbidden = /[<>:"|?*]/.exec(name)
  if (forbidden) return `has the character ${forbidden[0]} in it, which Windows does not allow`
  if (/[. ]$/.test(name)) return 'ends in a dot or a space, which Windows drops'
  if (/^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\.|$)/i.test(name)) {
    return 'is a device on Windows'
  }
  return undefined
}

/**
 * The key under which a filesystem of macOS or Windows, or a case-folding one of Linux, may take two names as one:
 * canonical normalisation, default-ignorable code points removed, full case folding. Where platforms differ it folds
 * what any one of them does. It depends on the Unicode version of the runtime, so it is never stored.
 */
export function foldName(name: string): string {
  if (isAscii(name)) return name.toLowerCase()
  // Lower, upper, lower is full case folding but for two letters. Dotless i has no folding, though its upper case is I.
  // Final sigma is chosen by its place in the word.
  return name
    .normalize('NFD')
    .replace(IGNORABLE, '')
    .split('ı')
    .map((part) => part.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ'))
    .join('ı')
    .normalize('NFC')
}

/** The groups of two or more among the distinct `names` of one folder that share a `foldName`. */
export function findFoldCollisions(names: Iterable<string>): string[][] {
  const groups = new Map<string, string | string[]>()
  const collisions: string[][] = []
  for (const name of names) {
    const key = foldName(name)
    const before = groups.get(key)
    if (before === undefined) {
      groups.set(key, name)
    } else if (typeof before === 'string') {
      const group = [before, name]
      groups.set(key, group)
      collisions.push(group)
    } else {
      before.push(name)
    }
  }
  return collisions
}

/** `name` for a message: quoted, cut short, and with whatever could deceive a reader or a terminal escaped. */
export function quoteName(name: string): string {
  const shown = name.length > 100 ? `${name.slice(0, 100)}…` : name
  return JSON.stringify(shown).replace(
    /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu,
    (char) => `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )
}

/**
 * Folds harder than `foldName`: compatibility forms too (a ZFS with formKC or formKD compares so), and both Turkish i's.
 * NTFS short names: `GIT~1` and on, then from the fifth on `GI`, a 16-bit hash of `.git` (2837), and a number.
 */
function readsAsGit(name: string): boolean {
  const folded = isAscii(name) ? name : name.normalize('NFKC').replace(IGNORABLE, '').replace(/[ıİ]/g, 'i')
  return READS_AS_GIT.test(folded.toLowerCase())
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII as a whole
  return /^[\u0000-\u007f]*$/.test(text)
}

function hostile(message: string): VarveError {
  return new VarveError('HOSTILE', message, {
    hint: 'Do not trust where this came from: no Varve writes such a name.',
  })
}
