import { type ContentId, contentIdFromDigest } from '../content-id.ts'
import type { PointerKind } from '../format/pointer.ts'
import type { TreeEntry } from '../format/tree.ts'
import { PathFilter } from '../path-filter.ts'
import { readDirectory, walkTree } from '../store/find-in-tree.ts'
import { fetchPart } from './fetch-part.ts'
import { listingOf, openPart } from './open-part.ts'
import {
  pathOfPart,
  resolveVersionPath,
  type TrackedFolder,
  type VersionPart,
} from './resolve-version-path.ts'
import { type BadPointer, entryOf, type Tracked } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type ListOptions = {
  /** `[REV:]PATH` */
  path: string
  recursive: boolean
  remoteName?: string | undefined
}

export type Listing = {
  revision: string | undefined
  /** What the path is: a folder of the repository, or an entry of a version. */
  kind: 'folder' | PointerKind
  /** From the root of the repository; '' is the root. */
  path: string
  /** In order; made as they are taken. */
  entries: Iterable<ListedEntry>
  /** Pointers below the folder that cannot be read. */
  bad: readonly BadPointer[]
}

export type ListedEntry = {
  /** From the root of the repository. */
  path: string
  kind: PointerKind
  /** Of a directory: of all files below. */
  sizeBytes: number
  /** A link has a target in place of an id. */
  id: ContentId | undefined
  target: string | undefined
  /** Of a tracked path, where it is listed as such. */
  files?: number
}

/**
 * What a directory of a version holds, what is tracked in a folder, or one file. Nothing is checked out; listings that
 * the store lacks are fetched.
 * @throws NOT_TRACKED, NOT_FOUND, MISSING_BYTES, CORRUPT
 */
export async function listVersion(workbench: Workbench, options: ListOptions): Promise<Listing> {
  const found = await resolveVersionPath(workbench, options.path)
  return found.kind === 'folder' ? listFolder(workbench, found, options) : listPart(workbench, found, options)
}

async function listFolder(
  workbench: Workbench,
  { revision, path, tracked, bad }: TrackedFolder,
  { recursive, remoteName }: ListOptions,
): Promise<Listing> {
  if (recursive) {
    for (const one of tracked) {
      await fetchListings(workbench, { tracked: one, path: one.path, entry: entryOf(one), remoteName })
    }
  }
  function* entries(): Generator<ListedEntry> {
    for (const one of tracked) {
      yield listedTracked(one)
      if (recursive) yield* below(workbench, one.path, entryOf(one))
    }
  }
  return { revision, kind: 'folder', path, entries: entries(), bad }
}

async function listPart(
  workbench: Workbench,
  part: VersionPart,
  { recursive, remoteName }: ListOptions,
): Promise<Listing> {
  const { revision, tracked, inside } = part
  const path = pathOfPart(part)
  const entry = await openPart(workbench, part, { remoteName })
  const listing = { revision, kind: entry.kind, path, bad: [] }
  if (entry.kind !== 'dir') {
    return { ...listing, entries: [inside === '' ? listedTracked(tracked) : listed(path, entry)] }
  }
  if (recursive) {
    await fetchListings(workbench, { tracked, path, entry, remoteName })
    return { ...listing, entries: below(workbench, path, entry) }
  }
  await fetchPart(workbench, { tracked, path, entry, filter: listingOf(path), remoteName })
  const children = readDirectory(workbench.store, entry)
  return { ...listing, entries: children.map((child) => listed(`${path}/${child.name}`, child)) }
}

async function fetchListings(
  workbench: Workbench,
  part: { tracked: Tracked; path: string; entry: TreeEntry; remoteName: string | undefined },
): Promise<void> {
  await fetchPart(workbench, { ...part, filter: PathFilter.literal([part.path]).withoutFiles() })
}

function* below(workbench: Workbench, path: string, entry: TreeEntry): Generator<ListedEntry> {
  for (const one of walkTree(workbench.store, entry, path)) {
    if (one.path !== path) yield listed(one.path, one.entry)
  }
}

function listed(path: string, entry: TreeEntry): ListedEntry {
  if (entry.kind === 'link') {
    return { path, kind: 'link', sizeBytes: 0, id: undefined, target: entry.target }
  }
  const { kind, sizeBytes, digest } = entry
  return { path, kind, sizeBytes, id: contentIdFromDigest(digest), target: undefined }
}

function listedTracked(tracked: Tracked): ListedEntry {
  const { path, pointer } = tracked
  return { ...listed(path, entryOf(tracked)), files: pointer.kind === 'dir' ? pointer.files : 1 }
}
