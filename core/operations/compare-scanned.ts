import { compareWorkspace, type WorkspaceComparison } from '../workspace/compare-workspace.ts'
import { type ScannedEntry, scanPathInThreads } from '../workspace/scan-path.ts'
import type { Selected } from './select-tracked.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** What stands at a path of the workspace now, with all below it. */
export function scanTracked(workbench: Workbench, path: string): Promise<ScannedEntry | undefined> {
  const { root, cache, workers, signal } = workbench
  const onProgress = (files: number) => workbench.onProgress?.({ phase: 'listing', filesDone: files })
  return scanPathInThreads({ root, path, cache, workers, onProgress, signal })
}

/** Compares what was scanned with the version that the pointer names, as far as the selection goes. */
export function compareScanned(
  workbench: Workbench,
  { tracked, filter }: Selected,
  options: {
    scanned: ScannedEntry | undefined
    isLeftOut: (path: string) => boolean
    digests: 'candidates' | 'all'
  },
): Promise<WorkspaceComparison> {
  const { root, store, cache, workers, onProgress, signal } = workbench
  onProgress?.({ phase: 'comparing' })
  return compareWorkspace({
    root,
    store,
    cache,
    workers,
    path: tracked.path,
    version: entryOf(tracked),
    filter,
    onProgress,
    signal,
    ...options,
  })
}
