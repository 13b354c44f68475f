import type { Digest } from '../../content-id.ts'
import { contentIdFromDigest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import { checkDepth } from '../../format/names.ts'
import type { EntryKind } from '../../format/pack.ts'
import { decodeNode, type RecipeRoot } from '../../format/recipe.ts'
import type { TreeEntry } from '../../format/tree.ts'
import type { PathFilter } from '../../path-filter.ts'
import { DigestSet } from '../../store/digest-set.ts'
import { readDirectory } from '../../store/find-in-tree.ts'
import type { Store } from '../../store/store.ts'

export type MissingEntry = { kind: EntryKind; digest: Digest; path: string }

/** What the store lacks of some versions, as far as it can tell from the trees and recipes that it has. */
export type MissingEntries = {
  /** Chunks of trees, and recipe nodes: what is below them cannot be told before they are here. */
  metadata: MissingEntry[]
  /** Chunks of files. `path` is that of the first file that wants one. */
  chunks: MissingEntry[]
  /** All chunks of files that were looked at. */
  wantedChunks: number
}

/**
 * Walks versions in the store. Shared directories and files are looked at once; those in `complete`, which grows, not
 * at all.
 */
export function findMissing(
  store: Store,
  versions: readonly { entry: TreeEntry; path: string; filter: PathFilter }[],
  complete: DigestSet = new DigestSet(),
): MissingEntries {
  const finder = new Finder(store, complete)
  for (const { entry, path, filter } of versions) finder.visit(entry, path, filter)
  return finder.missing
}

/** Of the same, metadata alone. */
export function findMissingMetadata(
  store: Store,
  versions: Parameters<typeof findMissing>[1],
): MissingEntry[] {
  const finder = new Finder(store, new DigestSet(), { listsChunks: false })
  for (const { entry, path, filter } of versions) finder.visit(entry, path, filter)
  return finder.missing.metadata
}

class Finder {
  readonly missing: MissingEntries = { metadata: [], chunks: [], wantedChunks: 0 }
  readonly #store: Store
  readonly #complete: DigestSet
  readonly #listsChunks: boolean
  readonly #wholeTrees = new DigestSet()
  readonly #blobs = new DigestSet()
  readonly #chunks = new DigestSet()

  constructor(store: Store, complete: DigestSet, { listsChunks = true } = {}) {
    this.#store = store
    this.#complete = complete
    this.#listsChunks = listsChunks
  }

  visit(entry: TreeEntry, path: string, filter: PathFilter): void {
    if (entry.kind === 'link') return
    if (entry.kind !== 'dir') {
      if (filter.matches(path)) this.#visitFile(entry.digest, path)
      return
    }
    if (!filter.mayMatchBelow(path)) return
    const isAllWanted = filter.matchesAllBelow(path)
    if (isAllWanted && (this.#complete.has(entry.digest) || !this.#wholeTrees.add(entry.digest))) return
    checkDepth(path)
    if (!this.#isWhole(entry.digest, path)) return
    const before = this.#missingCount
    for (const child of readDirectory(this.#store, entry)) {
      this.visit(child, path === '' ? child.name : `${path}/${child.name}`, filter)
    }
    if (isAllWanted && this.#missingCount === before) this.#complete.add(entry.digest)
  }

  get #missingCount(): number {
    return this.missing.metadata.length + this.missing.chunks.length
  }

  /** Whether a tree listing can be read; where not, what it lacks is noted. */
  #isWhole(tree: Digest, path: string): boolean {
    if (this.#store.has('chunk', tree)) return true
    const { metadata } = this.missing
    const before = metadata.length
    const isKnown = this.#descendAll(tree, path, (chunk) => {
      if (!this.#store.has('chunk', chunk)) metadata.push({ kind: 'chunk', digest: chunk, path })
    })
    if (!isKnown) metadata.push({ kind: 'chunk', digest: tree, path })
    return metadata.length === before
  }

  #visitFile(blob: Digest, path: string): void {
    if (!this.#blobs.add(blob)) return
    if (this.#store.has('chunk', blob)) this.missing.wantedChunks++
    // Where there is no recipe, the blob is taken for a single chunk; the remote's index may know better.
    else if (!this.#descendAll(blob, path, (chunk) => this.#wantChunk(chunk, path)))
      this.#wantChunk(blob, path)
  }

  #wantChunk(chunk: Digest, path: string): void {
    if (!this.#listsChunks) return
    this.missing.wantedChunks++
    if (this.#store.has('chunk', chunk) || !this.#chunks.add(chunk)) return
    this.missing.chunks.push({ kind: 'chunk', digest: chunk, path })
  }

  /** Looks at the blob's chunks; false where no recipe of it is known. */
  #descendAll(blob: Digest, path: string, onChunk: (chunk: Digest) => void): boolean {
    const own = this.#store.ownRecipeOf(blob)
    const roots = own === undefined ? [...this.#store.recipes(blob)] : [own]
    // Of several recipes a remote may have made some up: none is needed once one is proven.
    const wanted = roots.length > 1 && isProven(this.#store, blob) ? [] : roots
    for (const root of wanted) this.#descend(root, path, onChunk)
    return roots.length > 0
  }

  #descend(root: RecipeRoot, path: string, onChunk: (chunk: Digest) => void): void {
    if (!this.#store.has('node', root.rootNode)) {
      this.missing.metadata.push({ kind: 'node', digest: root.rootNode, path })
      return
    }
    const bytes = this.#store.readEntry('node', root.rootNode)
    const { level, entries } = decodeNode(bytes, `recipe node ${contentIdFromDigest(root.rootNode)}`)
    for (const { digest, lengthBytes } of entries) {
      if (level === 0) onChunk(digest)
      else this.#descend({ rootNode: digest, lengthBytes }, path, onChunk)
    }
  }
}

function isProven(store: Store, blob: Digest): boolean {
  try {
    return store.recipeOf(blob) !== undefined
  } catch (error) {
    if (error instanceof VarveError) return false
    throw error
  }
}
