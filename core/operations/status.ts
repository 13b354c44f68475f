import type { ContentId } from '../content-id.ts'
import type { VarveError } from '../errors.ts'
import type { PointerKind } from '../format/pointer.ts'
import type { RemoteView } from '../transfer/remote-view.ts'
import { compareTracked } from './compare-tracked.ts'
import { type ChangeCounts, countChanges, type FileChange, fileChanges } from './file-changes.ts'
import { type Selected, selectTracked } from './select-tracked.ts'
import { type BadPointer, type GoodPointer, idOf, listPointers } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type StatusOptions = {
  paths: readonly string[]
  /** Ask the remote what it has; else what is known of it from before counts. */
  askRemote: boolean
  remoteName?: string | undefined
}

export type PathStatus = {
  path: string
  state: 'unchanged' | 'modified' | 'missing' | 'not-pulled' | 'bad-pointer'
  kind: PointerKind | undefined
  id: ContentId | undefined
  sizeBytes: number | undefined
  files: number | undefined
  counts: ChangeCounts
  changes: FileChange[]
  /** Files of a partial checkout that were left out. */
  leftOutFiles: number
  /** Whether the remote has the version; undefined where that is not known. */
  onRemote: boolean | undefined
  error: VarveError | undefined
}

export type StatusResult = { remote: string | undefined; paths: PathStatus[] }

/**
 * How each tracked path stands to its pointer, and its pointer's version to the remote.
 * @throws NOT_TRACKED, OUTSIDE_REPOSITORY
 */
export async function status(workbench: Workbench, options: StatusOptions): Promise<StatusResult> {
  const pointers = await listPointers(workbench)
  const view = await openView(workbench, options)
  const good = pointers.filter((pointer): pointer is GoodPointer => pointer.error === undefined)
  const bad = pointers.filter((pointer): pointer is BadPointer => pointer.error !== undefined)
  const paths: PathStatus[] = []
  for (const selected of selectTracked(workbench, good, options.paths, { alsoTracked: bad })) {
    paths.push(await statusOf(workbench, selected, view))
  }
  if (options.paths.length === 0) paths.push(...bad.map(badStatus))
  paths.sort((a, b) => (a.path < b.path ? -1 : 1))
  return { remote: view?.remote.label, paths }
}

async function openView(workbench: Workbench, options: StatusOptions): Promise<RemoteView | undefined> {
  const isWanted = options.askRemote || options.remoteName !== undefined
  if (workbench.project.config.remotes.size === 0 && !isWanted) return undefined
  const view = workbench.remote(options.remoteName)
  if (options.askRemote) await view.refreshRecords(workbench.signal)
  return view
}

async function statusOf(
  workbench: Workbench,
  selected: Selected,
  view: RemoteView | undefined,
): Promise<PathStatus> {
  const { path, pointer } = selected.tracked
  const id = idOf(pointer)
  const compared = await compareTracked(workbench, selected)
  const changes = compared.state === 'compared' ? fileChanges(compared.comparison.changes) : []
  return {
    path,
    state: compared.state !== 'compared' ? compared.state : changes.length === 0 ? 'unchanged' : 'modified',
    kind: pointer.kind,
    id,
    sizeBytes: pointer.sizeBytes,
    files: pointer.kind === 'dir' ? pointer.files : 1,
    counts: countChanges(changes),
    changes,
    leftOutFiles: compared.state === 'compared' ? compared.comparison.leftOutFiles : 0,
    onRemote: onRemote(view, id),
    error: undefined,
  }
}

/** Unknown without a remote, and before it was asked for the first time. */
function onRemote(view: RemoteView | undefined, id: ContentId | undefined): boolean | undefined {
  if (view === undefined || !view.isKnown) return undefined
  // A link lies in its pointer whole: git carries it.
  return id === undefined || view.holdsWhole(id)
}

function badStatus({ path, error }: BadPointer): PathStatus {
  return {
    path,
    state: 'bad-pointer',
    kind: undefined,
    id: undefined,
    sizeBytes: undefined,
    files: undefined,
    counts: countChanges([]),
    changes: [],
    leftOutFiles: 0,
    onRemote: undefined,
    error,
  }
}
