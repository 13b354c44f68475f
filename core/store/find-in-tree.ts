import { contentIdFromDigest } from '../content-id.ts'
import { decodeTree, type TreeEntry } from '../format/tree.ts'
import type { Store } from './store.ts'

/** The entries of a directory of a version. @throws MISSING_BYTES, CORRUPT, MALFORMED */
export function readDirectory(store: Store, entry: TreeEntry): TreeEntry[] {
  if (entry.kind !== 'dir') return []
  return decodeTree(store.readMetadataBlob(entry.digest), `tree ${contentIdFromDigest(entry.digest)}`)
}

/** The entry at `path` below `entry` ('' is the entry itself). @throws MISSING_BYTES, CORRUPT, MALFORMED */
export function findInTree(store: Store, entry: TreeEntry, path: string): TreeEntry | undefined {
  let found: TreeEntry | undefined = entry
  for (const name of path === '' ? [] : path.split('/')) {
    if (found === undefined) return undefined
    found = readDirectory(store, found).find((child) => child.name === name)
  }
  return found
}

/** Every entry at or below `entry` with its path, parents first; `enter` says which directories to look into. */
export function* walkTree(
  store: Store,
  entry: TreeEntry,
  path: string,
  enter: (path: string) => boolean = () => true,
): Generator<{ path: string; entry: TreeEntry }> {
  yield { path, entry }
  if (entry.kind !== 'dir' || !enter(path)) return
  for (const child of readDirectory(store, entry)) {
    yield* walkTree(store, child, path === '' ? child.name : `${path}/${child.name}`, enter)
  }
}
