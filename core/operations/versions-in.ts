import { VarveError } from '../errors.ts'
import type { Pointer } from '../format/pointer.ts'
import { listHistoryPointers } from '../git/list-history-pointers.ts'
import type { GitObjectId } from '../git/object-id.ts'
import type { VersionToPush } from '../transfer/push/push-planner.ts'
import { keepMatching } from './keep-matching.ts'
import { type Selected, selectTracked, selectWorkingTree } from './select-tracked.ts'
import { entryOf, idOf, listTrackedAt, parseTracked, readPointerBlobs, type Tracked } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A version that a command is about; versions of one id at one path count once. */
export type Version = VersionToPush

/** Which versions a push or fetch is about, beyond those of the working tree. */
export type VersionRange = {
  paths: readonly string[]
  /** A revision (its tree), or a range such as `main..topic` (everything that was introduced in it). */
  revision?: string | undefined
  /** All of the history of all refs. */
  all?: boolean
  /** Where to fetch the listings from that tell whether a path or pattern inside a directory is there. */
  remoteName?: string | undefined
}

/**
 * The versions of a range.
 * @throws NOT_FOUND for a revision that is none, and a path or pattern that is in none of the versions; NOT_TRACKED,
 * MISSING_BYTES, and what parsing a pointer throws
 */
export async function versionsIn(workbench: Workbench, range: VersionRange): Promise<Version[]> {
  const { paths, revision, all, remoteName } = range
  if (all) return historyVersions(workbench, { include: [], all: true }, paths)
  if (revision?.includes('..')) return historyVersions(workbench, { include: [revision] }, paths)
  const selected =
    revision === undefined
      ? await selectWorkingTree(workbench, paths)
      : selectTracked(workbench, await listTrackedAt(workbench, revision), paths)
  return versionsOf(await keepMatching(workbench, selected, { paths, revision, remoteName }))
}

export function versionsOf(selected: readonly Selected[]): Version[] {
  return selected.flatMap(({ tracked, filter, only }) => {
    const id = idOf(tracked.pointer)
    if (id === undefined) return []
    const { path, pointer } = tracked
    return [{ path, id, entry: entryOf(tracked), sizeBytes: pointer.sizeBytes, filter, only }]
  })
}

/**
 * Every version that commits of the range introduced. Pointers of old commits that are malformed are passed over:
 * nothing can be made of them, and nobody can mend history.
 */
export async function historyVersions(
  workbench: Workbench,
  range: Parameters<typeof listHistoryPointers>[1],
  paths: readonly string[] = [],
): Promise<Version[]> {
  const found = new Map<string, { path: string; blobSha: GitObjectId }>()
  for await (const { path, blobSha } of listHistoryPointers(workbench.project.repository, range)) {
    found.set(`${blobSha} ${path}`, { path, blobSha })
  }
  const blobShas = new Set([...found.values()].map(({ blobSha }) => blobSha))
  const contents = await readPointerBlobs(workbench, blobShas)
  const tracked: Tracked[] = []
  for (const { path, blobSha } of found.values()) {
    const one = parseOrSkip(path, contents.get(blobSha)!)
    if (one !== undefined) tracked.push(one)
  }
  const selected = tracked.length > 0 ? selectTracked(workbench, tracked, paths) : []
  // Listings of old versions may be nowhere any more, which must not stop the rest.
  return unique(versionsOf(await keepMatching(workbench, selected, { paths, listings: 'as-here' })))
}

function parseOrSkip(
  pointerPath: string,
  bytes: Buffer,
): { path: string; pointerPath: string; pointer: Pointer } | undefined {
  try {
    return parseTracked(pointerPath, bytes, pointerPath)
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
}

/** One of each id and path. */
export function unique(versions: readonly Version[]): Version[] {
  const seen = new Set<string>()
  return versions.filter(({ id, path }) => {
    const key = `${id} ${path}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
