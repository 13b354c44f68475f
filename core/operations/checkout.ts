import { type ContentId, contentIdFromDigest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { encodePointer, type Pointer } from '../format/pointer.ts'
import { checkoutPaths } from '../git/checkout-paths.ts'
import { stagePaths } from '../git/stage-paths.ts'
import { isAtOrBelow, PathFilter } from '../path-filter.ts'
import { findMissing } from '../transfer/fetch/missing-entries.ts'
import type { RemoteView } from '../transfer/view/remote-view.ts'
import { applyCheckout } from '../workspace/apply-checkout.ts'
import { ensureAllIgnored } from '../workspace/git-ignore-file.ts'
import { type CheckoutPlan, joinPlans, planCheckout } from '../workspace/plan-checkout.ts'
import { refuseNames } from '../workspace/refuse-names.ts'
import { threadsFor } from '../workspace/work-batches.ts'
import type { CheckoutStream } from './checkout-stream.ts'
import { compareScanned, scanTracked } from './compare-scanned.ts'
import { fetchSelected } from './fetch.ts'
import { keepMatching } from './keep-matching.ts'
import { type Selected, selectTracked, selectWorkingTree } from './select-tracked.ts'
import { entryOf, filesOf, idOf, listPointers, listTrackedAt } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type CheckoutOptions = {
  /** Take pointers from here, as `git checkout REV -- PATH` does; else those of the working tree. */
  revision?: string | undefined
  paths: readonly string[]
  /** Tracked paths to leave alone. */
  except?: ReadonlySet<string>
  /** Overwrite files whose bytes no version holds. */
  force: boolean
  remoteName?: string | undefined
  /** Where bytes that the store lacks come from without going into it; else they are fetched. */
  stream?: CheckoutStream | undefined
}

export type CheckedOutPath = {
  path: string
  id: ContentId | undefined
  written: number
  removed: number
  /** Files never added, which stay. */
  kept: string[]
  /** Files with the user's changes, which stay: the two versions have the same there. */
  edited: string[]
  /** Files of a directory that is wanted in part only; undefined where the command was about a part of that. */
  leftOutFiles: number | undefined
  /** Files in the whole version. */
  files: number
  /** Pointer and git's index went to the revision; HEAD did not. */
  isPointerMoved: boolean
}

/**
 * Brings the workspace to the versions that pointers name. All is planned before anything is touched.
 * @throws WOULD_LOSE_DATA for changes that no version holds; MISSING_BYTES for bytes that neither the store nor the
 * remote has; NOT_FOUND, NOT_TRACKED
 */
export async function checkout(workbench: Workbench, options: CheckoutOptions): Promise<CheckedOutPath[]> {
  const { revision, paths, force, stream } = options
  const meant =
    revision === undefined
      ? await selectWorkingTree(workbench, paths, { wanted: 'as-before' })
      : selectTracked(workbench, await listTrackedAt(workbench, revision), paths)
  const matching = await keepMatching(workbench, meant, { paths, revision, remoteName: options.remoteName })
  const selected = matching.filter(({ tracked }) => !options.except?.has(tracked.path))
  await stream?.fetchListings(selected)
  const plans: Planned[] = []
  for (const one of selected) plans.push({ one, ...(await planFor(workbench, one, options)) })
  refuseConflicts(workbench, plans, force)
  if (stream === undefined) await bringMissing(workbench, plans, options.remoteName)
  else await stream.locate(selected, joinPlans(plans.map(({ plan }) => plan)))
  const moved = revision === undefined ? new Set() : await movePointers(workbench, selected, revision)
  ensureAllIgnored(
    workbench.root,
    selected.map(({ tracked }) => tracked.path),
  )

  if (stream !== undefined) {
    // Before: what is in place when this is cut off must not be taken for files that only the workspace has.
    for (const { tracked } of selected) workbench.state.noteElsewhere(tracked.path)
    workbench.state.save()
    await stream.write()
  }
  const results: CheckedOutPath[] = []
  for (const { one, plan, selectedFiles } of plans) {
    const files = filesOf(one.tracked.pointer)
    const { root, store, cache, workers, onProgress, signal } = workbench
    if (stream === undefined) await applyCheckout({ root, store, cache, workers, plan, onProgress, signal })
    rememberCheckout(workbench, one, paths.length > 0)
    results.push({
      path: one.tracked.path,
      id: idOf(one.tracked.pointer),
      written: plan.write.length + plan.link.length + plan.setExecutable.length,
      removed: plan.remove.length,
      kept: plan.kept,
      edited: plan.edited,
      leftOutFiles: leftOutFiles(one, { files, selectedFiles, isNamed: paths.length > 0 }),
      files,
      isPointerMoved: moved.has(one.tracked.path),
    })
  }
  return results
}

function leftOutFiles(
  { only }: Selected,
  { files, selectedFiles, isNamed }: { files: number; selectedFiles: number; isNamed: boolean },
): number | undefined {
  if (only === undefined) return 0
  return isNamed ? undefined : Math.max(files - selectedFiles, 0)
}

/** `selectedFiles`: how many the version has in the part that was selected. */
type PlannedPath = { plan: CheckoutPlan; selectedFiles: number }
type Planned = PlannedPath & { one: Selected }

async function planFor(workbench: Workbench, one: Selected, options: CheckoutOptions): Promise<PlannedPath> {
  const { root, store, workers } = workbench
  const { path, pointer } = one.tracked
  const version = entryOf(one.tracked)
  const listings = [{ entry: version, path, filter: one.filter.withoutFiles() }]
  if (findMissing(store, listings).metadata.length > 0)
    await fetchSelected(workbench, [one], options.remoteName)
  refuseNames({ root, store, path, entry: version, filter: one.filter })
  const scanned = await scanTracked(workbench, path)
  // Nothing is there, so all will be written: threads can start while the plan is made.
  if (scanned === undefined) {
    workers.start(threadsFor({ files: filesOf(pointer), bytes: pointer.sizeBytes }, workers.threads))
  }
  const comparison = await compareScanned(workbench, one, {
    scanned,
    isLeftOut: () => false,
    digests: 'all',
  })
  const plan = planCheckout({
    comparison,
    store,
    trackedPath: path,
    version,
    base: workbench.state.versionOf(path),
    isBaseElsewhere: (inside) => isOnRemote(workbench, path, inside, options.remoteName),
    force: options.force,
  })
  const differing = comparison.changes.filter(({ before }) => before !== undefined && before.kind !== 'dir')
  return { plan, selectedFiles: comparison.unchangedFiles + differing.length }
}

/** Whether a remote has the file that the version which was added or checked out here last has at a path. */
function isOnRemote(
  workbench: Workbench,
  trackedPath: string,
  inside: string,
  remoteName: string | undefined,
): boolean {
  if (workbench.state.isElsewhere(trackedPath)) return true
  const base = workbench.state.versionOf(trackedPath)
  if (base === undefined || base.kind === 'link') return false
  const holders = viewOf(workbench, remoteName)?.holdersOf(contentIdFromDigest(base.digest)) ?? []
  return holders.some(({ pointer: { only } }) => only === undefined || new PathFilter(only).matches(inside))
}

/** Undefined where there is none, or which one is meant is not said: no bytes are needed of it yet. */
function viewOf(workbench: Workbench, remoteName: string | undefined): RemoteView | undefined {
  try {
    return workbench.remote(remoteName)
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
}

function refuseConflicts(
  { state }: Workbench,
  plans: readonly { one: Selected; plan: CheckoutPlan }[],
  force: boolean,
): void {
  const conflicts = plans.flatMap(({ plan }) => plan.conflicts)
  const [first] = conflicts
  if (first === undefined || force) return
  const shown = conflicts.slice(0, 10).join(', ')
  const more = conflicts.length > 10 ? `, and ${conflicts.length - 10} more` : ''
  // Adding is no way to keep them where git has moved the pointer: it would undo what came with that.
  const isOutdated = plans.some(
    ({ one, plan }) => plan.conflicts.length > 0 && state.isOutdated(one.tracked.path, one.tracked.pointer),
  )
  throw new VarveError('WOULD_LOSE_DATA', `changes that no version holds would be lost: ${shown}${more}`, {
    hint: isOutdated
      ? 'Copy what you want to keep to another place, run this again with `--force`, then put it back and add it.'
      : 'Keep them with `varve add`, move them away, or give them up with `--force`.',
  })
}

/** Bytes that the store lacks are fetched, if there is a remote to fetch them from. */
async function bringMissing(
  workbench: Workbench,
  plans: readonly { one: Selected; plan: CheckoutPlan }[],
  remoteName: string | undefined,
): Promise<void> {
  const lacking = plans.filter(({ plan }) => {
    const files = plan.write.map(({ path, digest, sizeBytes }) => ({
      entry: { kind: 'file' as const, name: path, sizeBytes, digest },
      path,
      filter: PathFilter.everything,
    }))
    const missing = findMissing(workbench.store, files)
    return missing.metadata.length + missing.chunks.length > 0
  })
  if (lacking.length === 0) return
  await fetchSelected(
    workbench,
    lacking.map(({ one }) => one),
    remoteName,
  )
}

/**
 * As git does it: pointer and index go to the revision, HEAD stays. A part of a path leaves its pointer alone. Gives
 * the paths whose pointers are other ones now.
 */
async function movePointers(
  workbench: Workbench,
  selected: readonly Selected[],
  revision: string,
): Promise<Set<string>> {
  const { repository } = workbench.project
  const whole = selected.filter(({ only }) => only === undefined).map(({ tracked }) => tracked)
  if (whole.length === 0) return new Set()
  const present = await listPointers(workbench)
  refuseOverlaps(
    whole.map(({ path }) => path),
    present.map(({ path }) => path),
  )
  await checkoutPaths(
    repository,
    revision,
    whole.map(({ pointerPath }) => pointerPath),
  )
  const ignoreFiles = ensureAllIgnored(
    workbench.root,
    whole.map(({ path }) => path),
  )
  if (ignoreFiles.length > 0) await stagePaths(repository, ignoreFiles)
  const textOf = (pointer: Pointer | undefined) => pointer && encodePointer(pointer)
  const before = new Map(present.map(({ path, pointer }) => [path, textOf(pointer)]))
  const moved = whole.filter(({ path, pointer }) => before.get(path) !== textOf(pointer))
  return new Set(moved.map(({ path }) => path))
}

/** A path cannot be tracked inside another one. @throws CONFLICT */
function refuseOverlaps(wanted: readonly string[], present: readonly string[]): void {
  for (const path of wanted) {
    const other = present.find((one) => one !== path && (isAtOrBelow(one, path) || isAtOrBelow(path, one)))
    if (other === undefined) continue
    throw new VarveError('CONFLICT', `${path} was tracked as a whole then, and ${other} is tracked now`, {
      hint: `Check out the whole commit with git, or run \`varve untrack ${other}\` first.`,
    })
  }
}

function rememberCheckout(workbench: Workbench, { tracked, only }: Selected, isNamed: boolean): void {
  const { state } = workbench
  const hadAll = state.versionOf(tracked.path) !== undefined && state.onlyOf(tracked.path) === undefined
  if (only === undefined) state.wantAll(tracked.path)
  else if (isNamed && !hadAll) state.want(tracked.path, only)
  // A part that was named says nothing of the other parts that are wanted.
  const isFirst = state.versionOf(tracked.path) === undefined
  if (only === undefined || !isNamed || isFirst) state.remember(tracked.path, tracked.pointer)
  state.save()
}
