import { VarveError } from '../errors.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { WorkspaceComparison } from '../workspace/compare-workspace.ts'
import { compareScanned, scanTracked } from './compare-scanned.ts'
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
  selected: Selected,
  { digests }: { digests: 'candidates' | 'all' } = { digests: 'candidates' },
): Promise<TrackedComparison> {
  const { tracked, filter } = selected
  const { path } = tracked
  const scanned = await scanTracked(workbench, path)
  if (scanned === undefined) {
    const missing = findMissing(workbench.store, [{ entry: entryOf(tracked), path, filter }])
    return { state: missing.metadata.length + missing.chunks.length === 0 ? 'missing' : 'not-pulled' }
  }
  try {
    const isLeftOut = (inside: string) => workbench.state.isLeftOut(path, inside)
    const comparison = await compareScanned(workbench, selected, { scanned, isLeftOut, digests })
    return { state: 'compared', comparison }
  } catch (error) {
    // A listing that is not here: the version was never fetched.
    if (error instanceof VarveError && error.code === 'MISSING_BYTES') return { state: 'not-pulled' }
    throw error
  }
}
