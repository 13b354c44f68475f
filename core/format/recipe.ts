import { contentIdFromDigest, DIGEST_BYTES, type Digest, digestOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

/** One line of a node: a chunk (level 0) or a node of the level below, and the bytes it stands for. */
export type RecipeEntry = { digest: Digest; lengthBytes: number }

export type RecipeNode = { level: number; entries: RecipeEntry[] }

/** What a recipe entry in a metadata pack holds: where the blob's tree of nodes begins. */
export type RecipeRoot = { rootNode: Digest; lengthBytes: number }

const NODE_VERSION = 1
const NODE_HEADER_BYTES = 2
const NODE_ENTRY_BYTES = DIGEST_BYTES + 8
const MIN_NODE_ENTRIES = 256
export const MAX_NODE_ENTRIES = 4096
/** 256^8 entries and more: no blob below 2^53 bytes needs another level. */
const MAX_LEVEL = 7
export const MAX_NODE_BYTES = NODE_HEADER_BYTES + MAX_NODE_ENTRIES * NODE_ENTRY_BYTES
export const RECIPE_ROOT_BYTES = DIGEST_BYTES + 8

export function encodeNode(level: number, entries: readonly RecipeEntry[]): Buffer {
  const writer = new ByteWriter(NODE_HEADER_BYTES + entries.length * NODE_ENTRY_BYTES)
  writer.u8(NODE_VERSION).u8(level)
  for (const entry of entries) writer.bytes(entry.digest).u64(entry.lengthBytes)
  return writer.finish()
}

/** @throws MALFORMED, TOO_NEW. Digests are views into `bytes`. */
export function decodeNode(bytes: Uint8Array, where: string): RecipeNode {
  const reader = new ByteReader(bytes, where)
  const version = reader.u8()
  if (version !== NODE_VERSION) throw tooNew(where, version)
  const level = reader.u8()
  if (level > MAX_LEVEL) reader.fail(`level ${level}`)
  const count = reader.remaining / NODE_ENTRY_BYTES
  if (!Number.isInteger(count) || count < 1 || count > MAX_NODE_ENTRIES)
    reader.fail('a broken list of entries')
  const entries: RecipeEntry[] = []
  let total = 0
  for (let i = 0; i < count; i++) {
    const entry = { digest: reader.bytes(DIGEST_BYTES), lengthBytes: reader.u64() }
    if (entry.lengthBytes === 0) reader.fail('an entry of no bytes')
    total += entry.lengthBytes
    entries.push(entry)
  }
  if (!Number.isSafeInteger(total)) reader.fail('2^53 bytes or more')
  return { level, entries }
}

export function encodeRecipeRoot(root: RecipeRoot): Buffer {
  return new ByteWriter(RECIPE_ROOT_BYTES).bytes(root.rootNode).u64(root.lengthBytes).finish()
}

/** @throws MALFORMED */
export function decodeRecipeRoot(bytes: Uint8Array, where: string): RecipeRoot {
  const reader = new ByteReader(bytes, where)
  const root = { rootNode: reader.bytes(DIGEST_BYTES), lengthBytes: reader.u64() }
  reader.expectEnd()
  return root
}

/**
 * Builds the tree of nodes over a blob's chunks as they come. A node ends where its last entry's digest
 * says so, so that an edit in the middle of a terabyte changes one node a level and leaves the rest.
 * `onNode` gets each finished node once, children before parents.
 */
export class RecipeBuilder {
  readonly #levels: { entries: RecipeEntry[]; lengthBytes: number }[] = []
  readonly #onNode: (bytes: Buffer, digest: Buffer) => void

  constructor(onNode: (bytes: Buffer, digest: Buffer) => void) {
    this.#onNode = onNode
  }

  push(digest: Digest, lengthBytes: number): void {
    this.#push(0, { digest, lengthBytes })
  }

  /** The root, once every chunk is pushed. There must be at least one. */
  finish(): RecipeRoot {
    for (let level = 0; ; level++) {
      const { entries } = this.#levels[level]!
      const isTop = level === this.#levels.length - 1
      if (isTop && level > 0 && entries.length === 1) {
        const [only] = entries
        return { rootNode: only!.digest, lengthBytes: only!.lengthBytes }
      }
      if (entries.length > 0) this.#endNode(level)
    }
  }

  #push(level: number, entry: RecipeEntry): void {
    if (level === this.#levels.length) this.#levels.push({ entries: [], lengthBytes: 0 })
    const pending = this.#levels[level]!
    pending.entries.push(entry)
    pending.lengthBytes += entry.lengthBytes
    const count = pending.entries.length
    if ((count >= MIN_NODE_ENTRIES && endsNode(entry.digest)) || count === MAX_NODE_ENTRIES)
      this.#endNode(level)
  }

  #endNode(level: number): void {
    const { entries, lengthBytes } = this.#levels[level]!
    this.#levels[level] = { entries: [], lengthBytes: 0 }
    const bytes = encodeNode(level, entries)
    const digest = digestOf(bytes)
    this.#onNode(bytes, digest)
    this.#push(level + 1, { digest, lengthBytes })
  }
}

function endsNode(digest: Digest): boolean {
  return ((digest[0]! | (digest[1]! << 8)) & 0x3ff) === 0
}

/**
 * The chunks of a recipe in order. `readNode` gives a node's verified bytes. Levels must fall by one and
 * lengths must add up at every step, so a tree made by an adversary can neither loop nor swell.
 * @throws MALFORMED
 */
export function* walkRecipe(root: RecipeRoot, readNode: (digest: Digest) => Buffer): Generator<RecipeEntry> {
  yield* walkNode({ digest: root.rootNode, lengthBytes: root.lengthBytes }, undefined, readNode)
}

function* walkNode(
  at: RecipeEntry,
  expectedLevel: number | undefined,
  readNode: (digest: Digest) => Buffer,
): Generator<RecipeEntry> {
  const { level, entries } = readChecked(at, expectedLevel, readNode)
  if (level === 0) yield* entries
  else for (const entry of entries) yield* walkNode(entry, level - 1, readNode)
}

/**
 * The lowest nodes of a recipe in order, each with the bytes that it stands for: parts of a large blob that can be
 * worked on apart. They are not read, but for a recipe of a single one: whoever reads them checks their level and
 * length. All above them is checked as `walkRecipe` does. @throws MALFORMED
 */
export function* walkLeafNodes(
  root: RecipeRoot,
  readNode: (digest: Digest) => Buffer,
): Generator<RecipeEntry> {
  yield* walkDownToLeaves({ digest: root.rootNode, lengthBytes: root.lengthBytes }, undefined, readNode)
}

function* walkDownToLeaves(
  at: RecipeEntry,
  expectedLevel: number | undefined,
  readNode: (digest: Digest) => Buffer,
): Generator<RecipeEntry> {
  const { level, entries } = readChecked(at, expectedLevel, readNode)
  if (level === 0) yield at
  else if (level === 1) yield* entries
  else for (const entry of entries) yield* walkDownToLeaves(entry, level - 1, readNode)
}

/** @throws MALFORMED where the node is not of the level and length that its parent says */
function readChecked(
  at: RecipeEntry,
  expectedLevel: number | undefined,
  readNode: (digest: Digest) => Buffer,
): RecipeNode {
  const where = `recipe node ${contentIdFromDigest(at.digest)}`
  const node = decodeNode(readNode(at.digest), where)
  if (expectedLevel !== undefined && node.level !== expectedLevel) {
    throw new VarveError('MALFORMED', `${where}: level ${node.level} where ${expectedLevel} belongs`)
  }
  const total = node.entries.reduce((sum, entry) => sum + entry.lengthBytes, 0)
  if (total !== at.lengthBytes) {
    throw new VarveError('MALFORMED', `${where}: ${total} bytes where ${at.lengthBytes} belong`)
  }
  return node
}

function tooNew(where: string, version: number): VarveError {
  return new VarveError('TOO_NEW', `${where}: version ${version} of the recipe format`, {
    hint: 'Upgrade varve to read this repository.',
  })
}
