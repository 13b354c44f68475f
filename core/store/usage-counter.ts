import { contentIdFromDigest, type Digest } from '../content-id.ts'
import type { EntryKind } from '../format/pack.ts'
import { decodeNode, type RecipeRoot } from '../format/recipe.ts'
import type { TreeEntry } from '../format/tree.ts'
import { DigestSet } from './digest-set.ts'
import { readDirectory } from './find-in-tree.ts'
import type { Store } from './store.ts'

/** Bytes that versions take. What the store lacks of them counts nowhere. */
export type Usage = {
  /** Of all files, each time they occur. */
  logicalBytes: number
  uniqueChunks: number
  /** Of the chunks, each once. */
  uniqueBytes: number
  /** Of the same chunks as they are stored. */
  storedBytes: number
  /** Of listings and recipes as they are stored, each once. */
  metadataBytes: number
}

/**
 * Counts what versions take in a store, together: what they share counts once. Directories that were counted whole are
 * not looked into again, so that a long history costs what changed in it.
 */
export class UsageCounter {
  readonly usage: Usage = {
    logicalBytes: 0,
    uniqueChunks: 0,
    uniqueBytes: 0,
    storedBytes: 0,
    metadataBytes: 0,
  }
  readonly #store: Store
  readonly #wholeTrees = new DigestSet()
  readonly #wholeBlobs = new DigestSet()
  readonly #seen: Record<EntryKind, DigestSet> = {
    chunk: new DigestSet(),
    node: new DigestSet(),
    recipe: new DigestSet(),
  }

  constructor(store: Store) {
    this.#store = store
  }

  /** Counts a version, a step at a time; its result says whether the store has all of it. */
  *add(entry: TreeEntry): Generator<void, boolean, undefined> {
    if (entry.kind === 'link') return true
    return entry.kind === 'dir' ? yield* this.#addDirectory(entry) : yield* this.#addFile(entry)
  }

  *#addDirectory(entry: Extract<TreeEntry, { digest: unknown }>): Generator<void, boolean, undefined> {
    if (this.#wholeTrees.has(entry.digest)) {
      this.usage.logicalBytes += entry.sizeBytes
      return true
    }
    if (!this.#addListing(entry.digest)) return false
    let isWhole = true
    for (const child of readDirectory(this.#store, entry)) {
      if (!(yield* this.add(child))) isWhole = false
    }
    yield
    if (isWhole) this.#wholeTrees.add(entry.digest)
    return isWhole
  }

  /** Whether the listing can be read. */
  #addListing(tree: Digest): boolean {
    if (this.#countMetadata('chunk', tree)) return true
    const root = this.#store.recipeOf(tree)
    if (root === undefined) return false
    this.#countMetadata('recipe', tree)
    let isWhole = true
    for (const { digest } of this.#leaves(root)) {
      if (digest === undefined || !this.#countMetadata('chunk', digest)) isWhole = false
    }
    return isWhole
  }

  *#addFile({
    digest,
    sizeBytes,
  }: {
    digest: Digest
    sizeBytes: number
  }): Generator<void, boolean, undefined> {
    const { usage } = this
    if (this.#wholeBlobs.has(digest) || this.#countChunk(digest)) {
      usage.logicalBytes += sizeBytes
      return true
    }
    const root = this.#store.recipeOf(digest)
    if (root === undefined) return false
    this.#countMetadata('recipe', digest)
    let isWhole = true
    for (const leaf of this.#leaves(root)) {
      if (leaf.digest !== undefined && this.#countChunk(leaf.digest)) usage.logicalBytes += leaf.lengthBytes
      else isWhole = false
      if (leaf.isLastOfNode) yield
    }
    if (isWhole) this.#wholeBlobs.add(digest)
    return isWhole
  }

  /** The chunks of a recipe; no digest stands for the chunks of a node that the store lacks. */
  *#leaves(
    root: RecipeRoot,
  ): Generator<{ digest: Digest | undefined; lengthBytes: number; isLastOfNode: boolean }> {
    if (!this.#countMetadata('node', root.rootNode)) {
      yield { digest: undefined, lengthBytes: root.lengthBytes, isLastOfNode: true }
      return
    }
    const bytes = this.#store.readEntry('node', root.rootNode)
    const { level, entries } = decodeNode(bytes, `recipe node ${contentIdFromDigest(root.rootNode)}`)
    for (const [at, { digest, lengthBytes }] of entries.entries()) {
      if (level > 0) yield* this.#leaves({ rootNode: digest, lengthBytes })
      else yield { digest, lengthBytes, isLastOfNode: at === entries.length - 1 }
    }
  }

  /** Whether the store has the chunk. */
  #countChunk(digest: Digest): boolean {
    if (this.#seen.chunk.has(digest)) return true
    const location = this.#store.locate('chunk', digest)
    if (location === undefined) return false
    this.#seen.chunk.add(digest)
    this.usage.uniqueChunks++
    this.usage.uniqueBytes += location.rawBytes
    this.usage.storedBytes += location.storedBytes
    return true
  }

  /** Whether the store has the entry. */
  #countMetadata(kind: EntryKind, digest: Digest): boolean {
    if (this.#seen[kind].has(digest)) return true
    const location = this.#store.locate(kind, digest)
    if (location === undefined) return false
    this.#seen[kind].add(digest)
    this.usage.metadataBytes += location.storedBytes
    return true
  }
}
