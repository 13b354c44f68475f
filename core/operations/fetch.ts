import { fetchVersions } from '../transfer/fetch/fetch-versions.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { FetchedBytes } from '../transfer/fetch/store-receiver.ts'
import { DEFAULT_JOBS, refuseWithoutRemote } from './fetch-listings.ts'
import { type Selected, selectWorkingTree } from './select-tracked.ts'
import { type Version, type VersionRange, versionsIn, versionsOf } from './versions-in.ts'
import type { Workbench } from './workbench.ts'

export type FetchOptions = VersionRange & { jobs?: number | undefined }

export type FetchResult = FetchedBytes & { remote: string; versions: number }

/**
 * Brings bytes from a remote into the store; the workspace is not touched.
 * @throws NO_REMOTE, MISSING_BYTES, CORRUPT, NOT_TRACKED, NOT_FOUND
 */
export async function fetch(workbench: Workbench, options: FetchOptions): Promise<FetchResult> {
  const isBare = options.paths.length === 0 && options.revision === undefined && !options.all
  const versions = isBare
    ? versionsOf(await selectWorkingTree(workbench, [], { wanted: 'as-before' }))
    : await versionsIn(workbench, options)
  return fetchAll(workbench, versions, options)
}

/** For commands that need bytes on the way. @throws MISSING_BYTES where there is no remote either */
export async function fetchSelected(
  workbench: Workbench,
  selected: readonly Selected[],
  remoteName?: string,
): Promise<FetchResult> {
  refuseWithoutRemote(
    workbench,
    selected.map(({ tracked }) => tracked.path),
    remoteName,
  )
  return fetchAll(workbench, versionsOf(selected), { remoteName })
}

async function fetchAll(
  workbench: Workbench,
  versions: readonly Version[],
  options: { remoteName?: string | undefined; jobs?: number | undefined },
): Promise<FetchResult> {
  const { store, workers, onProgress, signal } = workbench
  const view = workbench.remote(options.remoteName)
  const missing = findMissing(store, versions)
  let fetched: FetchedBytes = { packs: 0, bytes: 0 }
  if (missing.metadata.length + missing.chunks.length > 0) {
    await view.refreshRecords(signal)
    const jobs = options.jobs ?? DEFAULT_JOBS
    fetched = await fetchVersions({ store, view, workers, versions, jobs, onProgress, signal })
  }
  return { remote: view.remote.label, versions: versions.length, ...fetched }
}
