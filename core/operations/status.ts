import { type ContentId, digestFromContentId } from '../content-id.ts'
import { type ErrorCode, VarveError } from '../errors.ts'
import type { PointerKind } from '../format/pointer.ts'
import { PathFilter } from '../path-filter.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { RemoteView } from '../transfer/view/remote-view.ts'
import { compareTracked, type TrackedComparison } from './compare-tracked.ts'
import { type ChangeCounts, countChanges, type FileChange, fileChanges } from './file-changes.ts'
import { type Selected, selectTracked } from './select-tracked.ts'
import {
  type BadPointer,
  entryOf,
  filesOf,
  type GoodPointer,
  idOf,
  listPointers,
  pointerOf,
  type Tracked,
} from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type StatusOptions = {
  paths: readonly string[]
  /** Ask the remote what it has; else what is known of it from before counts. */
  askRemote: boolean
  remoteName?: string | undefined
}

export type PathStatus = {
  path: string
  /**
   * `outdated`: the workspace came from another version than the pointer names; `changes` are then those made since that
   * one.
   */
  state: 'unchanged' | 'modified' | 'outdated' | 'missing' | 'not-pulled' | 'unreadable' | 'bad-pointer'
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
    const remote = { view, isAsked: options.askRemote }
    try {
      paths.push(await statusOf(workbench, selected, remote))
    } catch (error) {
      // One odd file is no reason not to tell of the others; who named its path gets the error.
      if (options.paths.length > 0 || !isOfOnePath(error)) throw error
      paths.push(unreadableStatus(selected, error))
    }
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

/** `isAsked`: the remote told just now what it has. */
type RemoteKnown = { view: RemoteView | undefined; isAsked: boolean }

async function statusOf(workbench: Workbench, selected: Selected, remote: RemoteKnown): Promise<PathStatus> {
  const { path, pointer } = selected.tracked
  const id = idOf(pointer)
  const { compared, isOutdated } = await compareWithOwnVersion(workbench, selected)
  const changes = compared.state === 'compared' ? fileChanges(compared.comparison.changes) : []
  const isSame = changes.length === 0
  return {
    path,
    state: isOutdated
      ? 'outdated'
      : compared.state !== 'compared'
        ? compared.state
        : isSame
          ? 'unchanged'
          : 'modified',
    kind: pointer.kind,
    id,
    sizeBytes: pointer.sizeBytes,
    files: filesOf(pointer),
    counts: countChanges(changes),
    changes,
    leftOutFiles: compared.state === 'compared' ? compared.comparison.leftOutFiles : 0,
    onRemote: onRemote(workbench, remote, selected.tracked),
    error: undefined,
  }
}

/** Against the version that the workspace came from: what the user did, whatever git has done to the pointer since. */
async function compareWithOwnVersion(
  workbench: Workbench,
  selected: Selected,
): Promise<{ compared: TrackedComparison; isOutdated: boolean }> {
  const { tracked } = selected
  const base = workbench.state.versionOf(tracked.path)
  if (base !== undefined && workbench.state.isOutdated(tracked.path, tracked.pointer)) {
    const own = { ...selected, tracked: { ...tracked, pointer: pointerOf(base, 0, '') } }
    const compared = await compareTracked(workbench, own)
    if (compared.state === 'compared') return { compared, isOutdated: true }
  }
  return { compared: await compareTracked(workbench, selected), isOutdated: false }
}

/** Unknown without a remote; and for a version that this clone has not got, before the remote was asked. */
function onRemote(
  { store }: Workbench,
  { view, isAsked }: RemoteKnown,
  { path, pointer }: Tracked,
): boolean | undefined {
  if (view === undefined) return undefined
  // A link lies in its pointer whole: git carries it.
  if (pointer.kind === 'link' || view.holdsWhole(pointer.id)) return true
  if (isAsked) return false
  const listing = { entry: entryOf({ path, pointer }), path, filter: PathFilter.everything.withoutFiles() }
  const isHere =
    pointer.kind === 'dir'
      ? findMissing(store, [listing]).metadata.length === 0
      : store.hasBlob(digestFromContentId(pointer.id))
  return isHere ? false : undefined
}

/** What is wrong with a file of the workspace: its kind, its name, its mode. */
function isOfOnePath(error: unknown): error is VarveError {
  const codes: ErrorCode[] = ['UNSUPPORTED_FILE', 'NO_PERMISSION', 'CHANGED_WHILE_READING']
  return error instanceof VarveError && codes.includes(error.code)
}

function unreadableStatus({ tracked: { path, pointer } }: Selected, error: VarveError): PathStatus {
  const { kind, sizeBytes } = pointer
  const files = filesOf(pointer)
  return { ...badStatus({ path, error }), state: 'unreadable', kind, id: idOf(pointer), sizeBytes, files }
}

function badStatus({ path, error }: Pick<BadPointer, 'path' | 'error'>): PathStatus {
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
