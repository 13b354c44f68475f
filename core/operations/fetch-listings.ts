import { VarveError } from '../errors.ts'
import { fetchVersions } from '../transfer/fetch/fetch-versions.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { Selected } from './select-tracked.ts'
import { entryOf, idOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export const DEFAULT_JOBS = 8

/**
 * Brings the directory listings that the store lacks of what was selected, and no file's data. Where it lacks none, no
 * remote is asked.
 * @throws MISSING_BYTES when the remote lacks one, or there is no remote; CORRUPT
 */
export async function fetchListings(
  workbench: Workbench,
  selected: readonly Selected[],
  remoteName?: string,
): Promise<void> {
  const { store, workers, onProgress, signal } = workbench
  const versions = selected.flatMap(({ tracked, filter }) => {
    const id = idOf(tracked.pointer)
    if (id === undefined) return []
    const version = { path: tracked.path, id, entry: entryOf(tracked), filter: filter.withoutFiles() }
    return findMissing(store, [version]).metadata.length > 0 ? [version] : []
  })
  if (versions.length === 0) return
  refuseWithoutRemote(
    workbench,
    versions.map(({ path }) => path),
    remoteName,
  )
  const view = workbench.remote(remoteName)
  await view.refreshRecords(signal)
  await fetchVersions({ store, view, workers, versions, jobs: DEFAULT_JOBS, onProgress, signal })
}

/** For bytes that are needed on the way. @throws MISSING_BYTES where there is no remote to have them from */
export function refuseWithoutRemote(
  { project }: Workbench,
  missingPaths: readonly string[],
  remoteName: string | undefined,
): void {
  if (project.config.remotes.size > 0 || remoteName !== undefined) return
  throw new VarveError(
    'MISSING_BYTES',
    `the bytes of ${missingPaths.join(', ')} are not here, and there is no remote`,
    { hint: 'Add one that has them with `varve remote add NAME URL`, then run `varve pull`.' },
  )
}
