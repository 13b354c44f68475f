import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import { readDirectory } from '../store/find-in-tree.ts'
import type { Store } from '../store/store.ts'
import type { WorkspaceChange, WorkspaceComparison, WorkspaceFile } from './compare-workspace.ts'
import type { FileStamp } from './file-stamp.ts'

export type FileToWrite = {
  path: string
  digest: Digest
  sizeBytes: number
  executable: boolean
  replaces: FileStamp | undefined
}

/** What a checkout will do to the workspace. Paths are relative to the root. */
export type CheckoutPlan = {
  write: FileToWrite[]
  /** `replaces` stands there now. */
  link: { path: string; target: string; replaces: WorkspaceFile | undefined }[]
  setExecutable: { path: string; executable: boolean }[]
  makeDirectories: string[]
  /** Files that must go before anything can be written in their place, and files that the version lacks. */
  remove: { path: string; stamp: FileStamp }[]
  removeDirectories: string[]
  /** Files never added, which stay. */
  kept: string[]
  /** Files with the user's changes, which stay: the version before and this one have the same there. */
  edited: string[]
  /** Files whose bytes no version holds and which are in the way. */
  conflicts: string[]
}

/** One plan for all of them: of tracked paths, none of which lies in another. */
export function joinPlans(plans: readonly CheckoutPlan[]): CheckoutPlan {
  return {
    write: plans.flatMap(({ write }) => write),
    link: plans.flatMap(({ link }) => link),
    setExecutable: plans.flatMap(({ setExecutable }) => setExecutable),
    makeDirectories: plans.flatMap(({ makeDirectories }) => makeDirectories),
    remove: plans.flatMap(({ remove }) => remove),
    removeDirectories: plans.flatMap(({ removeDirectories }) => removeDirectories),
    kept: plans.flatMap(({ kept }) => kept),
    edited: plans.flatMap(({ edited }) => edited),
    conflicts: plans.flatMap(({ conflicts }) => conflicts),
  }
}

/**
 * Decides what brings the workspace to a version, from their comparison (with all digests). A file goes only where
 * a version holds its bytes and it was part of the version that was here before; `force` overrules for those in the way.
 */
export function planCheckout(options: {
  comparison: WorkspaceComparison
  store: Store
  trackedPath: string
  /** What the workspace is to become; undefined: nothing. */
  version: TreeEntry | undefined
  /** What was checked out or added here last, if that is known. */
  base: TreeEntry | undefined
  /** Whether a remote has the file that `base` has at a path: its bytes need not be in the store then. */
  isBaseElsewhere?: ((path: string) => boolean) | undefined
  force: boolean
}): CheckoutPlan {
  const planner = new Planner(options)
  for (const change of options.comparison.changes) planner.take(change)
  return planner.finish()
}

class Planner {
  readonly #store: Store
  readonly #trackedPath: string
  readonly #base: TreeEntry | undefined
  readonly #isBaseElsewhere: (path: string) => boolean
  /** The version is another one than was here before. */
  readonly #isMove: boolean
  readonly #force: boolean
  readonly #plan: CheckoutPlan = {
    write: [],
    link: [],
    setExecutable: [],
    makeDirectories: [],
    remove: [],
    removeDirectories: [],
    kept: [],
    edited: [],
    conflicts: [],
  }
  /** Paths where the version has a file or link. */
  readonly #occupied = new Set<string>()
  readonly #madeDirectories = new Set<string>()
  readonly #kept: { path: string; stamp: FileStamp }[] = []
  /** Directories that were never added; they stay, unless a file of the version belongs there. */
  readonly #keptDirectories: string[] = []
  /** Listings of `base` that were read, by path. */
  readonly #baseListings = new Map<string, Map<string, TreeEntry>>()

  constructor(options: {
    store: Store
    trackedPath: string
    version: TreeEntry | undefined
    base: TreeEntry | undefined
    isBaseElsewhere?: ((path: string) => boolean) | undefined
    force: boolean
  }) {
    this.#store = options.store
    this.#trackedPath = options.trackedPath
    this.#base = options.base
    this.#isBaseElsewhere = options.isBaseElsewhere ?? (() => false)
    const { version, base } = options
    this.#isMove = version !== undefined && base !== undefined && !isSameContent(version, base)
    this.#force = options.force
  }

  take({ path, before, after }: WorkspaceChange): void {
    const plan = this.#plan
    if (before === undefined) {
      this.#takeSurplus(path, after!)
      return
    }
    if (before.kind === 'dir') {
      plan.makeDirectories.push(path)
      this.#madeDirectories.add(path)
      return
    }
    this.#occupied.add(path)
    if (before.kind !== 'link' && after?.digest !== undefined && sameDigest(before.digest, after.digest)) {
      plan.setExecutable.push({ path, executable: before.kind === 'executable' })
      return
    }
    if (after !== undefined && !this.#force && !this.#isHeld(path, after)) {
      if (this.#isMove && this.#isUnchangedByMove(path, before)) {
        plan.edited.push(path)
        return
      }
      plan.conflicts.push(path)
    }
    if (before.kind === 'link') {
      plan.link.push({ path, target: before.target, replaces: after })
    } else if (after?.kind === 'link') {
      // A link is never written through: it goes first.
      plan.remove.push({ path, stamp: after.stamp! })
      plan.write.push(fileToWrite(path, before, undefined))
    } else {
      plan.write.push(fileToWrite(path, before, after?.stamp))
    }
  }

  finish(): CheckoutPlan {
    const plan = this.#plan
    // What was to be kept where the version has something else, or below a path that must become a file, must go.
    for (const { path, stamp } of this.#kept) {
      if (!this.#isInTheWay(path)) plan.kept.push(path)
      else if (this.#force) plan.remove.push({ path, stamp })
      else plan.conflicts.push(path)
    }
    plan.removeDirectories.push(...this.#keptDirectories.filter((path) => this.#isInTheWay(path)))
    plan.removeDirectories.sort((a, b) => b.length - a.length)
    return plan
  }

  /** As git does it: what the two versions agree on is not touched, so the user's change of it can stay. */
  #isUnchangedByMove(path: string, entry: TreeEntry): boolean {
    const base = this.#baseEntry(path)
    return base !== undefined && isSameContent(base, entry)
  }

  /** Something in the workspace that the version lacks. */
  #takeSurplus(path: string, after: WorkspaceFile): void {
    const wasAdded = this.#wasAdded(path)
    if (after.kind === 'dir') {
      if (wasAdded !== false) this.#plan.removeDirectories.push(path)
      else this.#keptDirectories.push(path)
    } else if (wasAdded !== false && this.#isHeld(path, after)) {
      this.#plan.remove.push({ path, stamp: after.stamp! })
    } else {
      this.#kept.push({ path, stamp: after.stamp! })
    }
  }

  #isHeld(path: string, file: WorkspaceFile): boolean {
    if (file.kind === 'link') {
      const base = this.#baseEntry(path)
      return base?.kind === 'link' && base.target === file.target
    }
    if (file.digest === undefined) return false
    return this.#store.hasBlob(file.digest) || this.#isOfBaseElsewhere(path, file.digest)
  }

  /** The file is as it was pulled, and can be pulled again. */
  #isOfBaseElsewhere(path: string, digest: Digest): boolean {
    const base = this.#baseEntry(path)
    if (base === undefined || base.kind === 'link' || base.kind === 'dir') return false
    return sameDigest(base.digest, digest) && this.#isBaseElsewhere(path)
  }

  /** Whether the version that was here before has the path; undefined where that is not known. */
  #wasAdded(path: string): boolean | undefined {
    return this.#base === undefined ? undefined : this.#baseEntry(path) !== undefined
  }

  #baseEntry(path: string): TreeEntry | undefined {
    if (path === this.#trackedPath) return this.#base
    const slash = path.lastIndexOf('/')
    return this.#baseListing(path.slice(0, slash)).get(path.slice(slash + 1))
  }

  /** Empty where `base` has no such directory, or its listing is not here. */
  #baseListing(path: string): Map<string, TreeEntry> {
    const known = this.#baseListings.get(path)
    if (known !== undefined) return known
    const listing = new Map(this.#readBase(path).map((entry) => [entry.name, entry]))
    this.#baseListings.set(path, listing)
    return listing
  }

  #readBase(path: string): TreeEntry[] {
    const entry = this.#baseEntry(path)
    if (entry === undefined) return []
    try {
      return readDirectory(this.#store, entry)
    } catch (error) {
      if (error instanceof VarveError) return []
      throw error
    }
  }

  #isInTheWay(path: string): boolean {
    if (this.#occupied.has(path) || this.#madeDirectories.has(path)) return true
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (this.#occupied.has(path.slice(0, at))) return true
    }
    return false
  }
}

function fileToWrite(
  path: string,
  entry: Exclude<TreeEntry, { kind: 'link' }>,
  replaces: FileStamp | undefined,
): FileToWrite {
  return {
    path,
    digest: entry.digest,
    sizeBytes: entry.sizeBytes,
    executable: entry.kind === 'executable',
    replaces,
  }
}

function isSameContent(a: TreeEntry, b: TreeEntry): boolean {
  if (a.kind === 'link' || b.kind === 'link') {
    return a.kind === 'link' && b.kind === 'link' && a.target === b.target
  }
  return a.kind === b.kind && sameDigest(a.digest, b.digest)
}

function sameDigest(a: Digest, b: Digest): boolean {
  return Buffer.compare(a, b) === 0
}
