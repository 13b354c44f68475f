import { dirname } from 'node:path/posix'
import type { TreeEntry } from '../format/tree.ts'
import { PathFilter } from '../path-filter.ts'
import { findInTree } from '../store/find-in-tree.ts'
import { fetchPart } from './fetch-part.ts'
import { notInVersion, pathOfPart, type VersionPart } from './resolve-version-path.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** Passes the listing of one directory, and nothing that is in it: no name holds a NUL. */
export function listingOf(directory: string): PathFilter {
  return PathFilter.literal([`${directory}/\0`])
}

/**
 * The entry that a path inside a version means; the listings on the way to it are fetched where they are missing.
 * @throws NOT_FOUND when the version has no such path; MISSING_BYTES, CORRUPT
 */
export async function openPart(
  workbench: Workbench,
  part: VersionPart,
  options: { remoteName: string | undefined },
): Promise<TreeEntry> {
  const { tracked, inside } = part
  const root = entryOf(tracked)
  if (inside === '') return root
  if (root.kind !== 'dir') throw notInVersion(part, root)
  const filter = listingOf(dirname(pathOfPart(part)))
  await fetchPart(workbench, { tracked, path: tracked.path, entry: root, filter, ...options })
  const found = findInTree(workbench.store, root, inside)
  if (found === undefined) throw notInVersion(part, root)
  return found
}
