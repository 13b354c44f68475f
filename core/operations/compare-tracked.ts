import { VarveError } from '../errors.ts'
import { findMissing } from '../transfer/missing-entries.ts'
import { compareWorkspace, type WorkspaceComparison } from '../workspace/compare-workspace.ts'
import { scanPath } from '../workspace/scan-path.ts'
import type { Selected } from './select-tracked.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** How the workspace stands to a version. */
export type TrackedComparison =
  | { state: 'compared'; comparison: WorkspaceComparison }
  /** Nothing is in the workspace; the store has all of the version. */
  | { state: 'missing' }
  /** The store lacks some of the version, so that it cannot be checked out, or not even compared. */
  | { state: 'not-pulled' }

/** Compares what the workspace has at a tracked path with the version that its pointer names. */
export async function compareTracked(
  workbench: Workbench,
  { tracked, filter }: Selected,
  options: { digests: 'candidates' | 'all' } = { digests: 'candidates' },
): Promise<TrackedComparison> {
  const { root, store, cache, workers, state, onProgress, signal } = workbench
  const { path } = tracked
  const version = entryOf(tracked)
  const scanned = scanPath({
    root,
    path,
    onProgress: (files) => onProgress?.({ phase: 'listing', filesDone: files }),
  })
  if (scanned === undefined) {
    const missing = findMissing(store, [{ entry: version, path, filter }])
    return { state: missing.metadata.length + missing.chunks.length === 0 ? 'missing' : 'not-pulled' }
  }
  try {
    const comparison = await compareWorkspace({
      root,
      store,
      cache,
      workers,
      path,
      version,
      scanned,
      filter,
      isLeftOut: (inside) => state.isLeftOut(path, inside),
      digests: options.digests,
      onProgress,
      signal,
    })
    return { state: 'compared', comparison }
  } catch (error) {
    // A listing that is not here: the version was never fetched.
    if (error instanceof VarveError && error.code === 'MISSING_BYTES') return { state: 'not-pulled' }
    throw error
  }
}
