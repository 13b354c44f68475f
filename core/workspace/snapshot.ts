import { contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { decodeTree, encodeTree, type TreeEntry } from '../format/tree.ts'
import type { OnProgress } from '../progress.ts'
import type { Store } from '../store/store.ts'
import type { StoreWriter } from '../store/store-writer.ts'
import type { Workers } from '../workers/workers.ts'
import type { DirectoryStats } from './directory-stats.ts'
import { FileIngest, type FilesToIngest } from './file-ingest.ts'
import { isLarge } from './ingest-schedule.ts'
import type { KnownListing } from './known-listing.ts'
import { type DirectoryListing, filesOf, type ScannedFile } from './list-directory.ts'
import type { ScannedDirectory } from './scan-directory.ts'
import { type ScannedEntry, scanPathInThreads } from './scan-path.ts'
import type { ScannedPlace } from './scan-task.ts'
import { countStamps } from './stamps.ts'
import type { StatCache } from './stat-cache.ts'
import { FilesToTake, type FileToTake, TakenFiles } from './taken-files.ts'

export type SnapshotOptions = {
  root: string
  store: Store
  writer: StoreWriter
  cache: StatCache
  workers: Workers
  paths: readonly PathToTake[]
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}

export type PathToTake = {
  path: string
  /** The version before: what it has and a partial checkout left out goes into the new one as it is. */
  previous: TreeEntry | undefined
  isLeftOut: (path: string) => boolean
  /** Bytes of `previous` that the store lacks are at a remote: files that are as they were there are not taken in. */
  isElsewhere?: boolean | undefined
}

/** `scanned` is what stood there, links and all. */
export type Snapshot = { entry: TreeEntry; files: number; scanned: ScannedEntry }

/**
 * Takes what the workspace holds at each path into the store, and names it, in the order of the paths. Files whose
 * content the stat cache knows and the store has are not read again; all others are read while more are found, and in
 * one go, so that thousands of small files share a pack. Nothing may lean on the result before `writer.finish()`.
 * @throws NOT_FOUND, and what scanning and reading throw
 */
export async function takeSnapshots(options: SnapshotOptions): Promise<Snapshot[]> {
  const { root, store, writer, cache, workers, onProgress, signal } = options
  let readSince: { ms: number | undefined } | undefined
  const ingest = new FileIngest<FileToTake>({
    ...{ workers, storeRoot: store.root, root, writer, onProgress, signal },
    onFile: (file, read) => {
      file.taken.onRead(file, read)
      cache.record(file.path, read.stamp, read.digest, { readSinceMs: readSince?.ms })
    },
  })
  const read = (files: FilesToIngest<FileToTake>) => {
    readSince ??= { ms: cache.now() }
    ingest.add(files)
  }
  const lookup = rememberLast((directory) => cache.lookup(directory))
  const isReading = () => ingest.isBusy
  const snapshotters = options.paths.map(
    (one) => new Snapshotter({ ...options, ...one, lookup, read, isReading }),
  )
  try {
    for (const snapshotter of snapshotters) await snapshotter.scan()
  } catch (error) {
    await ingest.abandon(error)
    throw error
  }
  await ingest.finish()
  return snapshotters.map((snapshotter) => snapshotter.finish())
}

/** Tracked files that lie side by side ask for the same directory one after the other. */
function rememberLast<T>(find: (directory: string) => T): (directory: string) => T {
  let last: { directory: string; found: T } | undefined
  return (directory) => {
    if (last?.directory !== directory) last = { directory, found: find(directory) }
    return last.found
  }
}

type SnapshotterOptions = SnapshotOptions &
  PathToTake & {
    lookup: (directory: string) => DirectoryStats
    read: (files: FilesToIngest<FileToTake>) => void
    /** Whether threads have enough to read for a while. */
    isReading: () => boolean
  }

/** The snapshot of one path. */
class Snapshotter {
  readonly #options: SnapshotterOptions
  #scanned: ScannedEntry | undefined
  /** By the path of their directory; of a single file, by its own. */
  readonly #taken = new Map<string, TakenFiles>()
  /** Directories of the version before. */
  readonly #previous = new Map<string, TreeEntry>()

  constructor(options: SnapshotterOptions) {
    this.#options = options
  }

  /** Looks at what is there, and gives what must be read to the ingest as it is found. */
  async scan(): Promise<void> {
    const { root, path, previous, cache, workers, isReading, onProgress, signal } = this.#options
    if (previous?.kind === 'dir') this.#previous.set(path, previous)
    this.#scanned = await scanPathInThreads({
      ...{ root, path, cache, workers, signal },
      onPlace: (place) => this.#take(place),
      isBusy: isReading,
      onProgress: (filesDone) => {
        if (!isReading()) onProgress?.({ phase: 'listing', filesDone })
      },
    })
    if (this.#scanned === undefined) {
      throw new VarveError('NOT_FOUND', `${path} vanished`, { hint: 'Run the command again.' })
    }
    if (this.#scanned.kind === 'file' || this.#scanned.kind === 'executable') this.#takeFile(this.#scanned)
  }

  /** Once every file is read. */
  finish(): Snapshot {
    const { path } = this.#options
    const scanned = this.#scanned!
    if (scanned.kind === 'link') {
      return { entry: { kind: 'link', name: scanned.name, target: scanned.target }, files: 1, scanned }
    }
    if (scanned.kind !== 'dir') {
      return { entry: this.#taken.get(path)!.entryAt(0, scanned), files: 1, scanned }
    }
    const { digest, sizeBytes, files } = this.#build(scanned, path)
    return { entry: { kind: 'dir', name: scanned.name, sizeBytes, digest }, files, scanned }
  }

  #takeFile(file: ScannedFile): void {
    const { path, lookup } = this.#options
    const taken = new TakenFiles(1)
    this.#taken.set(path, taken)
    const known = lookup(parentOf(path)).get(file.name, file.stamp)
    if (known !== undefined) taken.onKnown(0, known)
    const { previous } = this.#options
    const isHeld = (digest: Digest) => this.#isInStore(digest) || this.#isElsewhere(previous, digest)
    if (known !== undefined && isHeld(known)) return
    const toTake = { path, stamp: file.stamp, taken, place: 0 }
    const isOneLarge = isLarge(file)
    this.#options.read({
      ...{ count: 1, sizeBytes: file.stamp.sizeBytes },
      ...{ small: isOneLarge ? [] : [toTake], large: isOneLarge ? [toTake] : [] },
    })
  }

  /** Finds out what must be read: every file whose content is not known, or not wholly in the store. */
  #take({ path, listing, known }: ScannedPlace): void {
    if (listing === undefined) return
    for (const entry of this.#previousOf(path)) {
      if (entry.kind === 'dir') this.#previous.set(`${path}/${entry.name}`, entry)
    }
    const stats = this.#options.lookup(path)
    if (this.#isStoredAsKnown(path, listing, { known, stats })) return
    const taken = new TakenFiles(countStamps(listing.stamps))
    this.#taken.set(path, taken)
    const unread = new FilesToTake(path, listing, taken)
    const previous = this.#options.isElsewhere
      ? new Map(this.#previousOf(path).map((entry) => [entry.name, entry]))
      : undefined
    let place = 0
    for (const file of filesOf(listing)) {
      const digest = stats.get(file.name, file.stamp)
      if (digest !== undefined) taken.onKnown(place, digest)
      const isHeld =
        digest !== undefined &&
        (this.#isInStore(digest) || this.#isElsewhere(previous?.get(file.name), digest))
      if (!isHeld) unread.add(place, file)
      place++
    }
    if (unread.count > 0) this.#options.read(unread)
  }

  /** So it is with most directories of a large dataset, and then nothing of their files need be kept. */
  #isStoredAsKnown(
    path: string,
    listing: DirectoryListing,
    { known, stats }: { known: KnownListing | undefined; stats: DirectoryStats },
  ): boolean {
    if (known === undefined || this.#previous.has(path) || !this.#options.store.hasBlob(known.digest))
      return false
    for (const { name, stamp } of filesOf(listing)) {
      const digest = stats.get(name, stamp)
      if (digest === undefined || !this.#isInStore(digest)) return false
    }
    return true
  }

  #isInStore(digest: Digest): boolean {
    const { store } = this.#options
    // Most files are one chunk: that takes one look into the index.
    return store.has('chunk', digest) || store.hasBlob(digest)
  }

  /** `before`: what the version before has at the place. */
  #isElsewhere(before: TreeEntry | undefined, digest: Digest): boolean {
    if (!this.#options.isElsewhere || before === undefined) return false
    return before.kind !== 'link' && before.kind !== 'dir' && Buffer.compare(before.digest, digest) === 0
  }

  /** Lists the directory and all below it, and stores the listings, children first. */
  #build(directory: ScannedDirectory, path: string): KnownListing {
    const taken = this.#taken.get(path)
    // Nothing was taken of one that the store has.
    if (taken === undefined) return directory.known!
    const entries: TreeEntry[] = []
    for (const file of directory.files()) entries.push(taken.entryAt(entries.length, file))
    for (const { name, target } of directory.links) entries.push({ kind: 'link', name, target })
    let files = entries.length
    for (const child of directory.directories) {
      const known = this.#build(child, `${path}/${child.name}`)
      entries.push({ kind: 'dir', name: child.name, sizeBytes: known.sizeBytes, digest: known.digest })
      files += known.files
    }
    for (const entry of this.#leftOut(path, entries)) {
      entries.push(entry)
      files += this.#countFiles(entry)
    }
    const sizeBytes = entries.reduce((sum, entry) => sum + (entry.kind === 'link' ? 0 : entry.sizeBytes), 0)
    return { digest: this.#options.writer.addMetadataBlob(encodeTree(entries)), sizeBytes, files }
  }

  /** What the version before has in a directory and a partial checkout left out. */
  #leftOut(path: string, present: readonly TreeEntry[]): TreeEntry[] {
    const previous = this.#previousOf(path)
    if (previous.length === 0) return []
    const names = new Set(present.map(({ name }) => name))
    return previous.filter(({ name }) => !names.has(name) && this.#options.isLeftOut(`${path}/${name}`))
  }

  #countFiles(entry: TreeEntry): number {
    if (entry.kind !== 'dir') return 1
    return this.#entriesOf(entry).reduce((sum, child) => sum + this.#countFiles(child), 0)
  }

  #previousOf(path: string): TreeEntry[] {
    return this.#entriesOf(this.#previous.get(path))
  }

  #entriesOf(entry: TreeEntry | undefined): TreeEntry[] {
    if (entry?.kind !== 'dir') return []
    const listing = this.#options.store.readMetadataBlob(entry.digest)
    return decodeTree(listing, `tree ${contentIdFromDigest(entry.digest)}`)
  }
}

function parentOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}
