import { type ContentId, isContentId } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { checkLinkTarget } from './names.ts'
import { MAX_POINTER_BYTES, malformedPointer, readPointerLines, splitPointerBlocks } from './pointer-text.ts'

export type PointerKind = 'file' | 'executable' | 'link' | 'dir'

/**
 * What a pointer file says. `sizeBytes` of a directory is the sum of its files. `extra` is the text of every further
 * top-level key (`meta:`, `source:`, those of other programs), kept byte for byte; empty, or ending in LF.
 */
export type Pointer = FilePointer | DirPointer | LinkPointer
export type FilePointer = { kind: 'file' | 'executable'; id: ContentId; sizeBytes: number; extra: string }
export type DirPointer = { kind: 'dir'; id: ContentId; sizeBytes: number; files: number; extra: string }
export type LinkPointer = { kind: 'link'; target: string; sizeBytes: 0; extra: string }

const POINTER_VERSION = 1
const KNOWN_KEYS = new Set(['varve', 'kind', 'id', 'target', 'size', 'files'])

/**
 * The one text of a pointer: docs/formats/pointer.md.
 * @throws HOSTILE for a link target that may not be stored; HOSTILE or MALFORMED for an `extra` that cannot be read back.
 */
export function encodePointer(pointer: Pointer): string {
  const lines = [`varve: ${POINTER_VERSION}`, `kind: ${pointer.kind}`]
  if (pointer.kind === 'link') {
    checkLinkTarget(pointer.target, 'pointer')
    lines.push(`target: ${quoteTarget(pointer.target)}`)
  } else {
    if (!isContentId(pointer.id)) throw new RangeError(`not a content id: ${pointer.id}`)
    lines.push(`id: ${pointer.id}`)
  }
  lines.push(`size: ${decimal(pointer.sizeBytes)}`)
  if (pointer.kind === 'dir') lines.push(`files: ${decimal(pointer.files)}`)
  if (pointer.extra !== '') {
    if (pointer.extra.includes('\r'))
      throw new RangeError('a carriage return in the further keys of a pointer')
    checkExtra(readPointerLines(pointer.extra, 'pointer'), 'pointer', lines.length + 1)
  }
  const text = `${lines.join('\n')}\n${pointer.extra}`
  if (Buffer.byteLength(text) > MAX_POINTER_BYTES) {
    throw new VarveError('HOSTILE', 'pointer: its further keys make it larger than 1 MiB', {
      hint: 'Shorten its description and labels.',
    })
  }
  return text
}

/**
 * Reads the text of a pointer file. CR LF is read as LF; beyond that, the known keys are read only as
 * `encodePointer` writes them.
 * @throws CONFLICT for a file with conflict markers, TOO_NEW for a later version, HOSTILE for a link target that may
 * not be stored or a file over 1 MiB, MALFORMED for all else; each names `where`.
 */
export function parsePointer(text: string, where: string): Pointer {
  const lines = readPointerLines(text, where)
  let next = 0
  const fail = (why: string): never => {
    throw malformedPointer({ where, line: next, why })
  }
  const take = (key: string): string => {
    const line = lines[next++]
    if (line === undefined) return fail(`the file ends where "${key}:" should stand`)
    return line.startsWith(`${key}: `) ? line.slice(key.length + 2) : fail(`"${key}: …" should stand here`)
  }
  const takeNumber = (key: string): number => {
    const digits = take(key)
    const value = Number(digits)
    if (/^(?:0|[1-9][0-9]{0,15})$/.test(digits) && Number.isSafeInteger(value)) return value
    return fail(`"${key}" should be a whole number from 0 to 2^53 - 1, with no leading zero`)
  }
  const takeId = (): ContentId => {
    const id = take('id')
    return isContentId(id) ? id : fail('"id" should be b3: and 64 lower-case hexadecimal digits')
  }
  const takeExtra = (): string => {
    const further = lines.slice(next)
    checkExtra(further, where, next + 1)
    return further.map((line) => `${line}\n`).join('')
  }

  checkVersion(take('varve'), where)
  const kind = take('kind')
  switch (kind) {
    case 'file':
    case 'executable':
      return { kind, id: takeId(), sizeBytes: takeNumber('size'), extra: takeExtra() }
    case 'dir': {
      const id = takeId()
      const sizeBytes = takeNumber('size')
      return { kind, id, sizeBytes, files: takeNumber('files'), extra: takeExtra() }
    }
    case 'link': {
      const quoted = take('target')
      const target = unquoteTarget(quoted) ?? fail('"target" should be text in double quotes')
      checkLinkTarget(target, where)
      if (quoted !== quoteTarget(target)) fail('"target" is not written in its one form')
      if (takeNumber('size') !== 0) fail('"size" of a link should be 0')
      return { kind, target, sizeBytes: 0, extra: takeExtra() }
    }
    default:
      return fail('"kind" should be file, executable, link or dir')
  }
}

function checkVersion(version: string, where: string): void {
  if (version === String(POINTER_VERSION)) return
  if (/^[1-9][0-9]{0,8}$/.test(version)) {
    throw new VarveError('TOO_NEW', `${where}: a pointer of version ${version}; this Varve reads version 1`, {
      hint: 'Upgrade Varve to read it.',
    })
  }
  throw malformedPointer({ where, line: 1, why: '"varve: 1" should stand here' })
}

function checkExtra(lines: readonly string[], where: string, firstLine: number): void {
  let line = firstLine
  for (const { key, text } of splitPointerBlocks(lines, { where, firstLine })) {
    if (KNOWN_KEYS.has(key)) throw malformedPointer({ where, line, why: `the key "${key}" is out of place` })
    line += text.split('\n').length - 1
  }
}

/** JSON's quoting, in which what a YAML line cannot hold is escaped too. */
function quoteTarget(target: string): string {
  return JSON.stringify(target).replace(
    /[\u2028\u2029\ufeff\ufffe\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16)}`,
  )
}

function unquoteTarget(quoted: string): string | undefined {
  try {
    const target: unknown = JSON.parse(quoted)
    return typeof target === 'string' ? target : undefined
  } catch {
    return undefined
  }
}

function decimal(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a size or count: ${value}`)
  return String(value)
}
