import type { ContentId } from '../content-id.ts'
import { diffTrees } from '../store/diff-trees.ts'
import { compareTracked } from './compare-tracked.ts'
import { fetchListings } from './fetch-listings.ts'
import { type ChangeCounts, countChanges, type FileChange, fileChanges } from './file-changes.ts'
import { type Selected, selectTracked, selectWorkingTree } from './select-tracked.ts'
import { entryOf, idOf, listTrackedAt } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type DiffOptions = {
  /** None: the workspace against its pointers. One: against that revision. Two: between them. */
  revisions: readonly string[]
  paths: readonly string[]
  remoteName?: string | undefined
}

export type PathDiff = {
  path: string
  before: ContentId | undefined
  /** Undefined where the after side is the workspace, or has no such path. */
  after: ContentId | undefined
  /** The workspace has nothing of the path: it is missing or was not pulled. */
  isAbsent: boolean
  counts: ChangeCounts
  changes: FileChange[]
}

/**
 * What differs, file by file. Only paths that differ are told. Listings that the store lacks are fetched; data never.
 * @throws NOT_FOUND, NOT_TRACKED, MISSING_BYTES
 */
export async function diff(workbench: Workbench, options: DiffOptions): Promise<PathDiff[]> {
  const { revisions } = options
  const [from, to] = revisions
  const diffs =
    to === undefined ? await againstWorkspace(workbench, from, options) : await between(workbench, options)
  return diffs.filter(({ changes, isAbsent }) => changes.length > 0 || isAbsent)
}

async function againstWorkspace(
  workbench: Workbench,
  revision: string | undefined,
  { paths, remoteName }: DiffOptions,
): Promise<PathDiff[]> {
  const selected =
    revision === undefined
      ? await selectWorkingTree(workbench, paths)
      : selectTracked(workbench, await listTrackedAt(workbench, revision), paths)
  await fetchListings(workbench, selected, remoteName)
  const diffs: PathDiff[] = []
  for (const one of selected) {
    const compared = await compareTracked(workbench, one)
    const changes = compared.state === 'compared' ? fileChanges(compared.comparison.changes) : []
    diffs.push({
      path: one.tracked.path,
      before: idOf(one.tracked.pointer),
      after: undefined,
      isAbsent: compared.state !== 'compared',
      counts: countChanges(changes),
      changes,
    })
  }
  return diffs
}

async function between(
  workbench: Workbench,
  { revisions, paths, remoteName }: DiffOptions,
): Promise<PathDiff[]> {
  const [from, to] = revisions as [string, string]
  const [before, after] = await Promise.all([listTrackedAt(workbench, from), listTrackedAt(workbench, to)])
  const byPath = new Map<string, { before?: Selected; after?: Selected }>()
  const selected = selectTracked(workbench, [...before, ...after], paths)
  for (const one of selected) {
    const side = before.includes(one.tracked) ? 'before' : 'after'
    byPath.set(one.tracked.path, { ...byPath.get(one.tracked.path), [side]: one })
  }
  const differing = [...byPath].filter(([, sides]) => !isSameVersion(sides.before, sides.after))
  await fetchListings(
    workbench,
    differing.flatMap(([, sides]) => [sides.before ?? [], sides.after ?? []].flat()),
    remoteName,
  )
  return differing.map(([path, sides]): PathDiff => {
    const { filter } = (sides.before ?? sides.after)!
    const old = sides.before && entryOf(sides.before.tracked)
    const now = sides.after && entryOf(sides.after.tracked)
    const all = diffTrees(workbench.store, path, old, now)
    const changes = fileChanges([...all].filter((change) => filter.matches(change.path)))
    return {
      path,
      before: sides.before && idOf(sides.before.tracked.pointer),
      after: sides.after && idOf(sides.after.tracked.pointer),
      isAbsent: false,
      counts: countChanges(changes),
      changes,
    }
  })
}

function isSameVersion(before: Selected | undefined, after: Selected | undefined): boolean {
  if (before === undefined || after === undefined) return false
  const [a, b] = [before.tracked.pointer, after.tracked.pointer]
  if (a.kind === 'link' || b.kind === 'link')
    return a.kind === b.kind && JSON.stringify(a) === JSON.stringify(b)
  return a.kind === b.kind && a.id === b.id
}
