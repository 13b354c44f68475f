import type { TreeEntry } from '../format/tree.ts'
import { diffEntries } from '../format/tree-diff.ts'
import { readDirectory } from './find-in-tree.ts'
import type { Store } from './store.ts'

/** A file, link or directory that is not the same in two versions; directories only where one side lacks them. */
export type TreeChange = { path: string; before: TreeEntry | undefined; after: TreeEntry | undefined }

/**
 * What differs between two versions of a path, in order. Directories of one id are not looked into.
 * @throws MISSING_BYTES when a listing is not in the store
 */
export function* diffTrees(
  store: Store,
  path: string,
  before: TreeEntry | undefined,
  after: TreeEntry | undefined,
): Generator<TreeChange> {
  const beforeIsDirectory = before?.kind === 'dir'
  const afterIsDirectory = after?.kind === 'dir'
  if (!beforeIsDirectory && !afterIsDirectory) {
    if (before !== undefined || after !== undefined) yield { path, before, after }
    return
  }
  if (before !== undefined && after !== undefined && beforeIsDirectory !== afterIsDirectory) {
    yield* diffTrees(store, path, before, undefined)
    yield* diffTrees(store, path, undefined, after)
    return
  }
  if (before === undefined || after === undefined) yield { path, before, after }
  const left = before === undefined ? [] : readDirectory(store, before)
  const right = after === undefined ? [] : readDirectory(store, after)
  for (const { name, before: old, after: now } of diffEntries(left, right)) {
    yield* diffTrees(store, `${path}/${name}`, old, now)
  }
}
