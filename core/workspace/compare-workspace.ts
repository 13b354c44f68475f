import type { Digest } from '../content-id.ts'
import { contentIdFromDigest } from '../content-id.ts'
import { checkDepth } from '../format/names.ts'
import { compareNames, decodeTree, sortByName, type TreeEntry } from '../format/tree.ts'
import type { PathFilter } from '../path-filter.ts'
import type { OnProgress } from '../progress.ts'
import type { Store } from '../store/store.ts'
import type { Workers } from '../workers/workers.ts'
import type { FileStamp } from './file-stamp.ts'
import { hashFiles } from './hash-files.ts'
import type { ScannedFile, ScannedLink } from './list-directory.ts'
import type { ScannedDirectory } from './scan-directory.ts'
import type { ScannedEntry } from './scan-path.ts'
import type { StatCache } from './stat-cache.ts'

/** A file, link or empty directory as a version has it. */
export type VersionFile = TreeEntry

/** The same in the workspace. `digest` is absent where nothing needed it. */
export type WorkspaceFile = {
  kind: 'file' | 'executable' | 'link' | 'dir'
  sizeBytes: number
  stamp: FileStamp | undefined
  digest: Digest | undefined
  target: string | undefined
}

/** At least one side is there; directories appear only where they are on one side alone. */
export type WorkspaceChange = {
  path: string
  before: VersionFile | undefined
  after: WorkspaceFile | undefined
}

export type WorkspaceComparison = {
  changes: WorkspaceChange[]
  unchangedFiles: number
  unchangedBytes: number
  /** Files of the version that are not in the workspace and need not be: see `isLeftOut`. */
  leftOutFiles: number
}

export type CompareOptions = {
  root: string
  store: Store
  cache: StatCache
  workers: Workers
  /** Of the tracked file or directory, relative to the root. */
  path: string
  version: TreeEntry | undefined
  scanned: ScannedEntry | undefined
  filter: PathFilter
  /** Whether a file that the version has may be absent without being deleted: a partial checkout. */
  isLeftOut: (path: string) => boolean
  /** Which changed files are to be hashed: `candidates` are those that may be renames of deleted ones. */
  digests: 'candidates' | 'all'
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

/** Compares the workspace with a version: by stamps, then by trees, and only where these cannot tell by bytes. */
export async function compareWorkspace(options: CompareOptions): Promise<WorkspaceComparison> {
  return new Comparer(options).run()
}

/** A file whose stamp says nothing, and whose size says nothing either. */
type Unknown = { path: string; before: VersionFile; after: WorkspaceFile }

/** So many are hashed at once; a million of them would be held in memory otherwise. */
const UNKNOWN_AT_ONCE = 20_000

class Comparer {
  readonly #options: CompareOptions
  readonly #result: WorkspaceComparison = {
    changes: [],
    unchangedFiles: 0,
    unchangedBytes: 0,
    leftOutFiles: 0,
  }
  readonly #unknown: Unknown[] = []

  constructor(options: CompareOptions) {
    this.#options = options
  }

  async run(): Promise<WorkspaceComparison> {
    const { path, version, scanned } = this.#options
    const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
    const stats = this.#options.cache.lookup(parent)
    await this.#compare(path, version, scanned, (file) => stats.get(file.name, file.stamp))
    await this.#hashUnknown()
    await this.#hash(this.#changedFilesToHash())
    return this.#result
  }

  async #compare(
    path: string,
    before: TreeEntry | undefined,
    after: ScannedEntry | undefined,
    digestOf: (file: ScannedFile) => Digest | undefined,
  ): Promise<void> {
    if (before?.kind === 'dir' || after?.kind === 'dir') {
      await this.#compareDirectories(path, before, after, digestOf)
    } else {
      this.#compareFiles(path, before, after, digestOf)
    }
  }

  #compareFiles(
    path: string,
    before: VersionFile | undefined,
    after: ScannedFile | ScannedLink | undefined,
    digestOf: (file: ScannedFile) => Digest | undefined,
  ): void {
    if (!this.#options.filter.matches(path)) return
    if (after === undefined) {
      this.#onlyBefore(path, before!)
      return
    }
    const file = workspaceFile(after, after.kind === 'link' ? undefined : digestOf(after))
    if (before === undefined) {
      this.#result.changes.push({ path, before, after: file })
    } else if (needsHash(before, file)) {
      this.#unknown.push({ path, before, after: file })
    } else {
      this.#settle(path, before, file)
    }
  }

  async #compareDirectories(
    path: string,
    before: TreeEntry | undefined,
    after: ScannedEntry | undefined,
    digestOf: (file: ScannedFile) => Digest | undefined,
  ): Promise<void> {
    if (!this.#options.filter.mayMatchBelow(path)) return
    if (this.#isKnownSame(path, before, after)) return
    checkDepth(path)
    const versionDirectory = before?.kind === 'dir' ? before : undefined
    const workspaceDirectory = after?.kind === 'dir' ? after : undefined
    // A directory on one side and something else on the other: both are told.
    if (before !== undefined && versionDirectory === undefined)
      this.#compareFiles(path, before, undefined, digestOf)
    if (after !== undefined && after.kind !== 'dir') this.#compareFiles(path, undefined, after, digestOf)
    await this.#compareListings(path, versionDirectory, workspaceDirectory)
  }

  /** Whether stamps alone show that both directories hold the same: neither's files are then looked at. */
  #isKnownSame(path: string, before: TreeEntry | undefined, after: ScannedEntry | undefined): boolean {
    if (before?.kind !== 'dir' || after?.kind !== 'dir' || after.known === undefined) return false
    const { digest, files, sizeBytes } = after.known
    if (Buffer.compare(before.digest, digest) !== 0 || !this.#options.filter.matchesAllBelow(path))
      return false
    this.#result.unchangedFiles += files
    this.#result.unchangedBytes += sizeBytes
    return true
  }

  async #compareListings(
    path: string,
    before: Exclude<TreeEntry, { kind: 'link' }> | undefined,
    after: ScannedDirectory | undefined,
  ): Promise<void> {
    const versionEntries = before === undefined ? [] : this.#readTree(before.digest)
    const workspaceEntries = after === undefined ? [] : sortedEntries(after)
    const isOnOneSide = (before === undefined) !== (after === undefined)
    if (isOnOneSide && this.#options.filter.matches(path)) this.#directoryOnOneSide(path, before)
    const stats = workspaceEntries.length > 0 ? this.#options.cache.lookup(path) : undefined
    const digestOf = (file: ScannedFile) => stats?.get(file.name, file.stamp)
    let i = 0
    let j = 0
    while (i < versionEntries.length || j < workspaceEntries.length) {
      const left = versionEntries[i]
      const right = workspaceEntries[j]
      const order = left === undefined ? 1 : right === undefined ? -1 : compareNames(left.name, right.name)
      if (order <= 0) i++
      if (order >= 0) j++
      const inner = `${path}/${order <= 0 ? left!.name : right!.name}`
      const before = order <= 0 ? left : undefined
      const after = order >= 0 ? right : undefined
      // Waiting once a file would cost as much as comparing it.
      if (before?.kind !== 'dir' && after?.kind !== 'dir') this.#compareFiles(inner, before, after, digestOf)
      else await this.#compareDirectories(inner, before, after, digestOf)
      if (this.#unknown.length >= UNKNOWN_AT_ONCE) await this.#hashUnknown()
    }
  }

  async #hashUnknown(): Promise<void> {
    const unknown = this.#unknown.splice(0)
    await this.#hash(unknown.map(({ path, after }) => ({ path, after })))
    for (const { path, before, after } of unknown) this.#settle(path, before, after)
  }

  /** Its files tell of themselves; this is for checkout, which makes and removes directories. */
  #directoryOnOneSide(path: string, before: TreeEntry | undefined): void {
    if (before === undefined) {
      const after = {
        kind: 'dir' as const,
        sizeBytes: 0,
        stamp: undefined,
        digest: undefined,
        target: undefined,
      }
      this.#result.changes.push({ path, before, after })
    } else if (!this.#options.isLeftOut(path)) {
      this.#result.changes.push({ path, before, after: undefined })
    }
  }

  #onlyBefore(path: string, before: VersionFile): void {
    if (this.#options.isLeftOut(path)) this.#result.leftOutFiles++
    else this.#result.changes.push({ path, before, after: undefined })
  }

  #settle(path: string, before: VersionFile, after: WorkspaceFile): void {
    if (isSame(before, after)) {
      this.#result.unchangedFiles++
      this.#result.unchangedBytes += after.sizeBytes
    } else {
      this.#result.changes.push({ path, before, after })
    }
  }

  #changedFilesToHash(): { path: string; after: WorkspaceFile }[] {
    const all = this.#options.digests === 'all'
    const deletedSizes = new Set(
      this.#result.changes.flatMap(({ before, after }) =>
        before !== undefined && before.kind !== 'link' && after === undefined ? [before.sizeBytes] : [],
      ),
    )
    return this.#result.changes.flatMap(({ path, before, after }) => {
      if (after?.stamp === undefined || after.kind === 'link' || after.digest !== undefined) return []
      const wanted = all || (before === undefined && deletedSizes.has(after.sizeBytes))
      return wanted ? [{ path, after }] : []
    })
  }

  async #hash(wanted: { path: string; after: WorkspaceFile }[]): Promise<void> {
    const { root, workers, cache, onProgress, signal } = this.#options
    const files = wanted.map(({ path, after }) => ({ path, after, stamp: after.stamp! }))
    const readSinceMs = files.length > 0 ? cache.now() : undefined
    await hashFiles({
      workers,
      root,
      files,
      onFile({ path, after }, { digest, stamp }) {
        after.digest = Buffer.from(digest)
        after.stamp = stamp
        after.sizeBytes = stamp.sizeBytes
        cache.record(path, stamp, digest, { readSinceMs })
      },
      onProgress,
      signal,
    })
  }

  #readTree(digest: Digest): TreeEntry[] {
    return decodeTree(this.#options.store.readMetadataBlob(digest), `tree ${contentIdFromDigest(digest)}`)
  }
}

function workspaceFile(scanned: ScannedFile | ScannedLink, digest: Digest | undefined): WorkspaceFile {
  return {
    kind: scanned.kind,
    sizeBytes: scanned.kind === 'link' ? 0 : scanned.stamp.sizeBytes,
    stamp: scanned.stamp,
    digest,
    target: scanned.kind === 'link' ? scanned.target : undefined,
  }
}

function needsHash(before: VersionFile, after: WorkspaceFile): boolean {
  if (before.kind === 'link' || after.kind === 'link') return false
  return after.digest === undefined && before.kind === after.kind && before.sizeBytes === after.sizeBytes
}

function isSame(before: VersionFile, after: WorkspaceFile): boolean {
  if (before.kind !== after.kind) return false
  if (before.kind === 'link') return before.target === after.target
  return after.digest !== undefined && Buffer.compare(before.digest, after.digest) === 0
}

/** Files, links and directories in one sorted list. */
function sortedEntries(directory: ScannedDirectory): readonly ScannedEntry[] {
  const files = [...directory.files()]
  const { links, directories } = directory
  if (links.length === 0 && directories.length === 0) return files
  return sortByName<ScannedEntry>([...files, ...links, ...directories])
}
