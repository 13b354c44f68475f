import { VarveError } from '../errors.ts'
import type { TreeEntry } from '../format/tree.ts'
import type { PathFilter } from '../path-filter.ts'
import { fetchVersions } from '../transfer/fetch/fetch-versions.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { RemoteView } from '../transfer/view/remote-view.ts'
import { DEFAULT_JOBS } from './fetch-listings.ts'
import { idOf, type Tracked } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type PartToFetch = {
  tracked: Tracked
  /** Where in the version to look, and what is there. */
  path: string
  entry: TreeEntry
  /** What is wanted of it: see `fetchVersions`. */
  filter: PathFilter
  remoteName: string | undefined
}

/**
 * Brings what the store lacks of a part of a version; where it lacks nothing, no remote is asked.
 * @throws MISSING_BYTES when the remote lacks it, or there is no remote; CORRUPT
 */
export async function fetchPart(workbench: Workbench, part: PartToFetch): Promise<void> {
  const { store, workers, onProgress, signal } = workbench
  const { tracked, path, entry, filter } = part
  const id = idOf(tracked.pointer)
  const missing = findMissing(store, [{ path, entry, filter }])
  const [first] = [...missing.metadata, ...missing.chunks]
  if (id === undefined || first === undefined) return
  const view = remoteOf(workbench, part.remoteName, first.path)
  await view.refreshRecords(signal)
  const versions = [{ path, id, entry, filter }]
  await fetchVersions({ store, view, workers, versions, jobs: DEFAULT_JOBS, onProgress, signal })
}

function remoteOf(workbench: Workbench, name: string | undefined, missingPath: string): RemoteView {
  try {
    return workbench.remote(name)
  } catch (error) {
    if (!(error instanceof VarveError) || error.code !== 'NO_REMOTE') throw error
    throw new VarveError('MISSING_BYTES', `${missingPath} is not in the store, and there is no remote`, {
      hint: 'Name the remote that has it: `varve remote add NAME URL`.',
      cause: error,
    })
  }
}
