import { VarveError } from '../errors.ts'
import { encodePointer, type Pointer } from '../format/pointer.ts'
import { diffTrees } from '../store/diff-trees.ts'
import { type ChangeCounts, countChanges, fileChanges } from './file-changes.ts'
import { committedSteps } from './log-steps.ts'
import type { LogCommit, LogStep } from './pair-renamed-steps.ts'
import type { ReadPointer } from './read-pointers-leniently.ts'
import { entryOf } from './tracked.ts'
import { uncommittedSteps } from './uncommitted-steps.ts'
import type { Workbench } from './workbench.ts'

export type LoggedVersion = {
  commit: LogCommit | undefined
  path: string
  change: 'added' | 'modified' | 'renamed' | 'deleted'
  from: string | undefined
  /** Undefined where the path is deleted, or the pointer cannot be read. */
  pointer: Pointer | undefined
  problem: string | undefined
  /** Undefined where the store lacks a listing of either version. */
  counts: ChangeCounts | undefined
}

export type LogOptions = {
  /** A tracked path, now or once, or a folder; all that is tracked where it is undefined. */
  path?: string | undefined
  mostVersions?: number | undefined
}

/**
 * The versions of what is tracked, newest first: what the working tree has and HEAD does not, then those that commits
 * made. One path is followed through renames.
 * @throws NOT_TRACKED, OUTSIDE_REPOSITORY
 */
export async function log(workbench: Workbench, options: LogOptions = {}): Promise<LoggedVersion[]> {
  const { path, mostVersions = Number.POSITIVE_INFINITY } = options
  workbench.onProgress?.({ phase: 'reading history' })
  const uncommitted = await uncommittedSteps(workbench)
  const committed = await committedSteps(workbench, { path, mostVersions, uncommitted })
  const steps = [...committed.uncommitted, ...committed.steps].slice(0, mostVersions)
  return steps.map((step) => loggedVersion(workbench, step))
}

function loggedVersion(workbench: Workbench, { commit, path, before, after, from }: LogStep): LoggedVersion {
  const change =
    from !== undefined
      ? 'renamed'
      : after === undefined
        ? 'deleted'
        : before === undefined
          ? 'added'
          : 'modified'
  return {
    commit,
    path,
    change,
    from,
    pointer: after?.pointer,
    problem: after?.problem,
    counts: countsBetween(workbench, path, before, after),
  }
}

function countsBetween(
  workbench: Workbench,
  path: string,
  before: ReadPointer | undefined,
  after: ReadPointer | undefined,
): ChangeCounts | undefined {
  const none = countChanges([])
  if (before?.problem !== undefined || after?.problem !== undefined) return undefined
  // A version that came or went as a whole: its pointer tells all.
  if (before === undefined) {
    return after && { ...none, added: filesOf(after.pointer), bytesAdded: after.pointer.sizeBytes }
  }
  if (after === undefined) {
    return { ...none, deleted: filesOf(before.pointer), bytesDeleted: before.pointer.sizeBytes }
  }
  if (isSameContent(before.pointer, after.pointer)) return none
  try {
    const [old, now] = [before, after].map(({ pointer }) => entryOf({ path, pointer }))
    return countChanges(fileChanges(diffTrees(workbench.store, path, old, now)))
  } catch (error) {
    if (error instanceof VarveError && error.code === 'MISSING_BYTES') return undefined
    throw error
  }
}

function filesOf(pointer: Pointer): number {
  return pointer.kind === 'dir' ? pointer.files : 1
}

function isSameContent(a: Pointer, b: Pointer): boolean {
  return encodePointer({ ...a, extra: '' }) === encodePointer({ ...b, extra: '' })
}
