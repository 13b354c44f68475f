import { contentIdOf, DIGEST_BYTES, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { checkLinkTarget, checkName, quoteName } from './names.ts'

/** One line of a directory's listing. `sizeBytes` of a directory is the sum of all files below it. */
export type TreeEntry =
  | { kind: 'file' | 'executable' | 'dir'; name: string; sizeBytes: number; digest: Digest }
  | { kind: 'link'; name: string; target: string }

const TREE_VERSION = 1
const KINDS = ['file', 'executable', 'dir', 'link'] as const
const REPLACEMENT = '\ufffd'

/** The id of the directory with nothing in it. */
export const EMPTY_TREE_ID = contentIdOf(encodeTree([]))

/**
 * The one listing of these entries, whatever their order: docs/formats/tree.md.
 * @throws HOSTILE for a name or link target that may not be stored, MALFORMED for a name that comes twice.
 */
export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  const sorted = sortByName(entries)
  let sizeBytes = 1
  let previous = ''
  for (const entry of sorted) {
    checkEntry(entry)
    if (entry.name === previous) {
      throw new VarveError('MALFORMED', `two entries of one directory are named ${quoteName(entry.name)}`)
    }
    previous = entry.name
    sizeBytes += 3 + Buffer.byteLength(entry.name)
    sizeBytes += entry.kind === 'link' ? 2 + Buffer.byteLength(entry.target) : 8 + DIGEST_BYTES
  }

  const bytes = Buffer.allocUnsafe(sizeBytes)
  let at = bytes.writeUInt8(TREE_VERSION, 0)
  for (const entry of sorted) {
    at = bytes.writeUInt8(KINDS.indexOf(entry.kind), at)
    at = writeText(bytes, at, entry.name)
    if (entry.kind === 'link') {
      at = writeText(bytes, at, entry.target)
    } else {
      at = bytes.writeUInt32LE(entry.sizeBytes % 0x1_0000_0000, at)
      at = bytes.writeUInt32LE(Math.floor(entry.sizeBytes / 0x1_0000_0000), at)
      bytes.set(entry.digest, at)
      at += DIGEST_BYTES
    }
  }
  return bytes
}

/**
 * The entries of a listing, sorted. Digests are views into `bytes`, so they keep all of it alive.
 * @throws TOO_NEW for a later version, HOSTILE for a name or target that may not be stored, MALFORMED for all else
 * that `encodeTree` would not write; each names `where`.
 */
export function decodeTree(bytes: Uint8Array, where: string): TreeEntry[] {
  const reader: ByteReader = new ByteReader(bytes, where)
  const version = reader.u8()
  if (version > TREE_VERSION) {
    throw new VarveError('TOO_NEW', `${where}: a directory listing of version ${version}`, {
      hint: 'Upgrade Varve to read it.',
    })
  }
  if (version !== TREE_VERSION) reader.fail(`a directory listing of version ${version}`)

  const entries: TreeEntry[] = []
  let previous = ''
  while (reader.remaining > 0) {
    const at = reader.offset
    const kind = KINDS[reader.u8()]
    if (kind === undefined) reader.fail(`an entry of unknown kind at byte ${at}`)
    const name = readText(reader, 'name')
    checkName(name, where)
    if (compareNames(previous, name) >= 0) {
      reader.fail(
        name === previous
          ? `two entries are named ${quoteName(name)}`
          : `the entry ${quoteName(name)} comes after ${quoteName(previous)}`,
      )
    }
    previous = name
    if (kind === 'link') {
      const target = readText(reader, 'link target')
      checkLinkTarget(target, where)
      entries.push({ kind, name, target })
    } else {
      const sizeBytes = reader.u64()
      entries.push({ kind, name, sizeBytes, digest: reader.bytes(DIGEST_BYTES) })
    }
  }
  return entries
}

/**
 * Orders two well-formed strings as their UTF-8 bytes are ordered. UTF-16 code units differ from that only where one
 * is a surrogate, which UTF-8 puts above U+E000 to U+FFFF and UTF-16 below.
 */
export function compareNames(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const unitA = a.charCodeAt(i)
    const unitB = b.charCodeAt(i)
    if (unitA === unitB) continue
    if (unitA < 0xd800 || unitB < 0xd800) return unitA - unitB
    return (isSurrogate(unitA) ? 0x1_0000 : 0) + unitA - ((isSurrogate(unitB) ? 0x1_0000 : 0) + unitB)
  }
  return a.length - b.length
}

/**
 * A copy in the order of `compareNames`. JavaScript's own `<` is twice as fast, and orders names without surrogates the
 * same way.
 */
export function sortByName<T extends { name: string }>(entries: readonly T[]): T[] {
  if (entries.some((entry) => /[\ud800-\udfff]/.test(entry.name))) {
    return entries.toSorted((a, b) => compareNames(a.name, b.name))
  }
  return entries.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

function checkEntry(entry: TreeEntry): void {
  checkName(entry.name, 'directory listing')
  if (entry.kind === 'link') {
    checkLinkTarget(entry.target, 'directory listing')
  } else {
    if (!Number.isSafeInteger(entry.sizeBytes) || entry.sizeBytes < 0) {
      throw new RangeError(`size of ${quoteName(entry.name)}: ${entry.sizeBytes}`)
    }
    if (entry.digest.length !== DIGEST_BYTES) {
      throw new RangeError(`digest of ${quoteName(entry.name)}: ${entry.digest.length} bytes`)
    }
  }
}

function writeText(bytes: Buffer, at: number, text: string): number {
  const length = bytes.write(text, at + 2, 'utf8')
  bytes.writeUInt16LE(length, at)
  return at + 2 + length
}

function readText(reader: ByteReader, what: string): string {
  const at = reader.offset
  const raw = reader.bytes(reader.u16())
  const text = raw.toString('utf8')
  // The decoder puts U+FFFD for whatever is not UTF-8, so text without one is sound, and text with one is compared.
  if (text.includes(REPLACEMENT) && !Buffer.from(text).equals(raw)) {
    reader.fail(`a ${what} that is not UTF-8 at byte ${at}`)
  }
  return text
}
