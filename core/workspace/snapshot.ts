import { contentIdFromDigest, type Digest, digestOf } from '../content-id.ts'
import { compareNames, decodeTree, encodeTree, type TreeEntry } from '../format/tree.ts'
import type { OnProgress } from '../progress.ts'
import { DigestList } from '../store/digest-list.ts'
import type { Store } from '../store/store.ts'
import type { StoreWriter } from '../store/store-writer.ts'
import type { Workers } from '../workers/workers.ts'
import type { DirectoryStats } from './directory-stats.ts'
import type { FileStamp } from './file-stamp.ts'
import { ingestFiles, type ListedFile } from './ingest-files.ts'
import type { KnownListing } from './known-listing.ts'
import type { ScannedFile } from './list-directory.ts'
import { joinPath } from './read-file.ts'
import type { ScannedDirectory } from './scan-directory.ts'
import type { ScannedEntry } from './scan-path.ts'
import type { StatCache } from './stat-cache.ts'

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
  scanned: ScannedEntry
  /** The version before: what it has and a partial checkout left out goes into the new one as it is. */
  previous: TreeEntry | undefined
  isLeftOut: (path: string) => boolean
}

export type Snapshot = { entry: TreeEntry; files: number }

/**
 * Takes what the workspace holds at each path into the store, and names it, in the order of the paths. Files whose
 * content the stat cache knows and the store has are not read again; all others are read in one go, so that thousands
 * of small files share a pack. Nothing may lean on the result before `writer.finish()`.
 */
export async function takeSnapshots(options: SnapshotOptions): Promise<Snapshot[]> {
  const { root, store, writer, cache, workers, onProgress, signal } = options
  const lookup = rememberLast((directory) => cache.lookup(directory))
  const snapshotters = options.paths.map((one) => new Snapshotter({ ...one, store, writer, lookup }))
  const files = snapshotters.flatMap((snapshotter) => snapshotter.findFilesToRead())
  const readSinceMs = files.length > 0 ? cache.now() : undefined
  await ingestFiles({
    ...{ workers, storeRoot: store.root, root, writer, files, onProgress, signal },
    onFile: ({ index, digest, stamp }) => {
      const { file, directory, snapshotter } = files[index]!
      snapshotter.onRead(file, digest, stamp)
      cache.record(joinPath(directory, file.name), stamp, digest, { readSinceMs })
    },
  })
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

type FileToTake = ListedFile & { snapshotter: Snapshotter }

type SnapshotterOptions = PathToTake & {
  store: Store
  writer: StoreWriter
  lookup: (directory: string) => DirectoryStats
}

/** The snapshot of one path. */
class Snapshotter {
  readonly #options: SnapshotterOptions
  readonly #digests = new DigestList()
  /** The number of a file's digest: first what the stat cache knows, then what was read. */
  readonly #digestOf = new Map<ScannedFile, number>()
  /** Of files that changed between listing and reading. */
  readonly #sizes = new Map<ScannedFile, number>()
  /** Directories that are in the store as they are, listing and files. */
  readonly #stored = new Map<ScannedDirectory, KnownListing>()
  readonly #toRead: FileToTake[] = []
  #kept: TreeEntry[] = []

  constructor(options: SnapshotterOptions) {
    this.#options = options
  }

  findFilesToRead(): FileToTake[] {
    const { path, scanned, previous, lookup } = this.#options
    if (scanned.kind === 'dir') {
      this.#kept = this.#entriesOf(previous)
      this.#resolve(scanned, path, this.#kept)
    } else if (scanned.kind !== 'link') {
      const directory = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
      const known = lookup(directory).get(scanned.name, scanned.stamp)
      if (known !== undefined) this.#setDigest(scanned, known)
      if (!this.#isStored(scanned)) this.#toRead.push({ file: scanned, directory, snapshotter: this })
    }
    return this.#toRead
  }

  onRead(file: ScannedFile, digest: Digest, stamp: FileStamp): void {
    this.#setDigest(file, digest)
    if (stamp.sizeBytes !== file.stamp.sizeBytes) this.#sizes.set(file, stamp.sizeBytes)
  }

  /** Once every file is read. */
  finish(): Snapshot {
    const { path, scanned } = this.#options
    if (scanned.kind === 'link') {
      return { entry: { kind: 'link', name: scanned.name, target: scanned.target }, files: 1 }
    }
    if (scanned.kind !== 'dir') return { entry: this.#fileEntry(scanned), files: 1 }
    const { digest, sizeBytes, files } = this.#build(scanned, path, this.#kept)
    return { entry: { kind: 'dir', name: scanned.name, sizeBytes, digest }, files }
  }

  /** Finds out what must be read: every file whose content is not known, or not wholly in the store. */
  #resolve(directory: ScannedDirectory, path: string, previous: TreeEntry[]): KnownListing | undefined {
    const previousByName = new Map(previous.map((entry) => [entry.name, entry]))
    let isStored = true
    for (const child of directory.directories) {
      const childPath = `${path}/${child.name}`
      const known = this.#resolve(child, childPath, this.#entriesOf(previousByName.get(child.name)))
      isStored &&= known !== undefined
    }
    const stats = this.#options.lookup(path)
    if (previous.length === 0 && this.#isStoredAsKnown(directory, stats)) {
      this.#stored.set(directory, directory.known!)
      return directory.known
    }
    for (const file of directory.files) {
      const digest = stats.get(file.name, file.stamp)
      if (digest !== undefined) this.#setDigest(file, digest)
      if (digest !== undefined && this.#isStored(file)) continue
      this.#toRead.push({ file, directory: path, snapshotter: this })
      isStored = false
    }
    if (!isStored) return undefined
    const { listing, sizeBytes, files } = this.#list(directory, path, previous)
    const known = { digest: digestOf(listing), sizeBytes, files }
    if (!this.#options.store.hasBlob(known.digest)) return undefined
    this.#stored.set(directory, known)
    return known
  }

  /** So it is with most directories of a large dataset, and then nothing of their files need be kept. */
  #isStoredAsKnown(directory: ScannedDirectory, stats: DirectoryStats): boolean {
    const { known } = directory
    if (known === undefined || !this.#options.store.hasBlob(known.digest)) return false
    return directory.passingFiles().every(({ name, stamp }) => {
      const digest = stats.get(name, stamp)
      return digest !== undefined && this.#isInStore(digest)
    })
  }

  #setDigest(file: ScannedFile, digest: Digest): void {
    this.#digestOf.set(file, this.#digests.push(digest))
  }

  #isStored(file: ScannedFile): boolean {
    const number = this.#digestOf.get(file)
    return number !== undefined && this.#isInStore(this.#digests.at(number))
  }

  #isInStore(digest: Digest): boolean {
    const { store } = this.#options
    // Most files are one chunk: that takes one look into the index.
    return store.has('chunk', digest) || store.hasBlob(digest)
  }

  /** Lists the directory and all below it, and stores the listings, children first. */
  #build(directory: ScannedDirectory, path: string, previous: TreeEntry[]): KnownListing {
    const stored = this.#stored.get(directory)
    if (stored !== undefined) return stored
    const previousByName = new Map(previous.map((entry) => [entry.name, entry]))
    for (const child of directory.directories) {
      const kept = this.#entriesOf(previousByName.get(child.name))
      this.#stored.set(child, this.#build(child, `${path}/${child.name}`, kept))
    }
    const { listing, sizeBytes, files } = this.#list(directory, path, previous)
    return { digest: this.#options.writer.addMetadataBlob(listing), sizeBytes, files }
  }

  /** The listing of a directory whose sub-directories are known. */
  #list(directory: ScannedDirectory, path: string, previous: TreeEntry[]) {
    const entries: TreeEntry[] = directory.files.map((file) => this.#fileEntry(file))
    let files = directory.files.length + directory.links.length
    for (const { name, target } of directory.links) entries.push({ kind: 'link', name, target })
    for (const child of directory.directories) {
      const known = this.#stored.get(child)!
      entries.push({ kind: 'dir', name: child.name, sizeBytes: known.sizeBytes, digest: known.digest })
      files += known.files
    }
    for (const entry of this.#leftOut(directory, path, previous)) {
      entries.push(entry)
      files += this.#countFiles(entry)
    }
    const sizeBytes = entries.reduce((sum, entry) => sum + (entry.kind === 'link' ? 0 : entry.sizeBytes), 0)
    return { listing: encodeTree(entries), sizeBytes, files }
  }

  /** What the version before has here and a partial checkout left out. */
  #leftOut(directory: ScannedDirectory, path: string, previous: TreeEntry[]): TreeEntry[] {
    if (previous.length === 0) return []
    const present = new Set(
      [...directory.files, ...directory.links, ...directory.directories].map(({ name }) => name),
    )
    const isLeftOut = ({ name }: TreeEntry) =>
      !present.has(name) && this.#options.isLeftOut(`${path}/${name}`)
    return previous.filter(isLeftOut)
  }

  #fileEntry(file: ScannedFile): TreeEntry {
    const sizeBytes = this.#sizes.get(file) ?? file.stamp.sizeBytes
    return {
      kind: file.kind,
      name: file.name,
      sizeBytes,
      digest: this.#digests.at(this.#digestOf.get(file)!),
    }
  }

  #countFiles(entry: TreeEntry): number {
    if (entry.kind !== 'dir') return 1
    return this.#entriesOf(entry).reduce((sum, child) => sum + this.#countFiles(child), 0)
  }

  #entriesOf(entry: TreeEntry | undefined): TreeEntry[] {
    if (entry?.kind !== 'dir') return []
    const listing = this.#options.store.readMetadataBlob(entry.digest)
    return decodeTree(listing, `tree ${contentIdFromDigest(entry.digest)}`).sort((a, b) =>
      compareNames(a.name, b.name),
    )
  }
}
