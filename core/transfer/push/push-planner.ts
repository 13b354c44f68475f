import { type ContentId, contentIdFromDigest, type Digest, hexOf } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import { checkDepth } from '../../format/names.ts'
import type { EntryKind, PackName } from '../../format/pack.ts'
import { type RecipeRoot, walkRecipe } from '../../format/recipe.ts'
import type { TreeEntry } from '../../format/tree.ts'
import type { PathFilter } from '../../path-filter.ts'
import { DigestSet } from '../../store/digest-set.ts'
import { readDirectory } from '../../store/find-in-tree.ts'
import type { Location } from '../../store/segment-reader.ts'
import type { Store } from '../../store/store.ts'

/** The packs that a version's bytes lie in: those on the remote, and those of the store to be sent from. */
export type Closure = { leanedOn: Set<PackName>; sources: Set<PackName> }

/** `isComplete` is false where neither the store nor the remote has all of the version. */
export type PlannedClosure = Closure & { isComplete: boolean }

export type VersionToPush = {
  path: string
  id: ContentId
  entry: TreeEntry
  sizeBytes: number
  /** Leaves files out, of a push of a part: `only` says which, for the record. */
  filter: PathFilter
  only: string[] | undefined
}

export type PlannedVersion = { version: VersionToPush; closure: PlannedClosure }

/** What is to be sent out of one local pack. */
export type SourcePack = { entries: number; storedBytes: number }

/** `digest` is a blob or a part of one; `path` that of the first file or directory that wants it. */
type MissingBytes = { path: string; digest: Digest }

/** What the planner asks of the remote: where it has an entry, and which recipe it has for a blob. */
export type RemoteKnowledge = {
  find(kind: EntryKind, digest: Digest): Location | undefined
  /** The pack in which the remote has this very recipe of the blob: another one may be a lie. */
  findRecipe(blob: Digest, root: RecipeRoot): PackName | undefined
}

/**
 * Walks versions and sorts what they need into what the remote has and what is to be sent. A sub-directory that
 * several versions share is walked once.
 */
export class PushPlanner {
  readonly #store: Store
  readonly #remote: RemoteKnowledge
  readonly #toSend: Record<EntryKind, DigestSet> = {
    chunk: new DigestSet(),
    node: new DigestSet(),
    recipe: new DigestSet(),
  }
  readonly #sources = new Map<PackName, SourcePack>()
  /** Where a recipe is to be taken from, by its blob, where that is not the first place that the index has. */
  readonly #recipePlaces = new Map<string, PackName>()
  readonly #known = new Map<string, Closure>()
  #firstMissing: MissingBytes | undefined
  #missingCount = 0

  constructor(store: Store, remote: RemoteKnowledge) {
    this.#store = store
    this.#remote = remote
  }

  get sources(): ReadonlyMap<PackName, SourcePack> {
    return this.#sources
  }

  /** Takes in one version; `filter` leaves files out, of a push of a part. */
  add(entry: TreeEntry, path: string, filter: PathFilter): PlannedClosure {
    const closure: Closure = { leanedOn: new Set(), sources: new Set() }
    const missingBefore = this.#missingCount
    this.#entry(entry, path, filter, closure)
    return { ...closure, isComplete: this.#missingCount === missingBefore }
  }

  /** @throws MISSING_BYTES when one of the versions is not complete */
  refuseMissing(): void {
    if (this.#firstMissing === undefined) return
    const { path, digest } = this.#firstMissing
    const more = this.#missingCount > 1 ? ` and ${this.#missingCount - 1} more` : ''
    const what = `${path} (${contentIdFromDigest(digest)})${more}`
    throw new VarveError('MISSING_BYTES', `neither the store nor the remote has the bytes of ${what}`, {
      hint: 'Ask whoever added them to run `varve push`, or pull them from a remote that has them.',
    })
  }

  /** Whether the entry is to be sent, out of this very pack. */
  isToSend(kind: EntryKind, digest: Digest, from: PackName): boolean {
    if (!this.#toSend[kind].has(digest)) return false
    const isElsewhere = kind === 'recipe' && this.#recipePlaces.size > 0
    const place = isElsewhere ? this.#recipePlaces.get(hexOf(digest)) : undefined
    return (place ?? this.#store.locate(kind, digest)?.pack) === from
  }

  #entry(entry: TreeEntry, path: string, filter: PathFilter, closure: Closure): void {
    if (entry.kind === 'link') return
    if (entry.kind !== 'dir') {
      if (filter.matches(path)) this.#blob(entry.digest, path, closure)
      return
    }
    if (!filter.mayMatchBelow(path)) {
      this.#blob(entry.digest, path, closure)
      return
    }
    checkDepth(path)
    const isWhole = filter.matchesAllBelow(path)
    const key = hexOf(entry.digest)
    const known = isWhole ? this.#known.get(key) : undefined
    if (known !== undefined) {
      join(closure, known)
      return
    }
    const own: Closure = { leanedOn: new Set(), sources: new Set() }
    const missingBefore = this.#missingCount
    const children = whereHere(() => readDirectory(this.#store, entry))
    if (children === undefined) {
      this.#miss(path, entry.digest)
      return
    }
    this.#blob(entry.digest, path, own)
    for (const child of children) {
      this.#entry(child, path === '' ? child.name : `${path}/${child.name}`, filter, own)
    }
    if (isWhole && this.#missingCount === missingBefore) this.#known.set(key, own)
    join(closure, own)
  }

  #blob(blob: Digest, path: string, closure: Closure): void {
    const there = this.#remote.find('chunk', blob)
    if (there !== undefined) {
      closure.leanedOn.add(there.pack)
      return
    }
    const here = this.#store.locate('chunk', blob)
    if (here !== undefined) {
      this.#sendFrom(here, blob, closure)
      return
    }
    const root = whereHere(() => this.#store.recipeOf(blob))
    if (root === undefined) {
      this.#miss(path, blob)
      return
    }
    const holder = this.#remote.findRecipe(blob, root)
    if (holder === undefined) this.#sendRecipe(blob, root, closure)
    else closure.leanedOn.add(holder)
    const readNode = (node: Digest) => {
      const bytes = this.#store.readEntry('node', node)
      this.#take('node', node, path, closure)
      return bytes
    }
    const isWalked = whereHere(() => {
      for (const chunk of walkRecipe(root, readNode)) this.#take('chunk', chunk.digest, path, closure)
      return true
    })
    if (!isWalked) this.#miss(path, blob)
  }

  #take(kind: EntryKind, digest: Digest, path: string, closure: Closure): void {
    const there = this.#remote.find(kind, digest)
    if (there !== undefined) closure.leanedOn.add(there.pack)
    else this.#send(kind, digest, path, closure)
  }

  #send(kind: EntryKind, digest: Digest, path: string, closure: Closure): void {
    const here = this.#store.locate(kind, digest)
    if (here === undefined) this.#miss(path, digest)
    else this.#sendFrom(here, digest, closure)
  }

  #miss(path: string, digest: Digest): void {
    this.#firstMissing ??= { path, digest }
    this.#missingCount++
  }

  /** Of several recipes only `root` is the one that is proven. */
  #sendRecipe(blob: Digest, root: RecipeRoot, closure: Closure): void {
    const here = this.#store.locateRecipe(blob, root)!
    if (here.pack !== this.#store.locate('recipe', blob)?.pack) this.#recipePlaces.set(hexOf(blob), here.pack)
    this.#sendFrom(here, blob, closure)
  }

  #sendFrom(here: Location, digest: Digest, closure: Closure): void {
    closure.sources.add(here.pack)
    if (!this.#toSend[here.kind].add(digest)) return
    const source = this.#sources.get(here.pack) ?? { entries: 0, storedBytes: 0 }
    source.entries++
    source.storedBytes += here.storedBytes
    this.#sources.set(here.pack, source)
  }
}

function join(into: Closure, from: Closure): void {
  for (const pack of from.leanedOn) into.leanedOn.add(pack)
  for (const pack of from.sources) into.sources.add(pack)
}

/** What `read` gives, or undefined where the store lacks what it reads. */
function whereHere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof VarveError && error.code === 'MISSING_BYTES') return undefined
    throw error
  }
}
