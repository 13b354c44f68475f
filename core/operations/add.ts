import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { ContentId } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { encodePointer, type Pointer, type PointerKind } from '../format/pointer.ts'
import type { TreeEntry } from '../format/tree.ts'
import { checkIgnored } from '../git/check-ignored.ts'
import { stagePaths } from '../git/stage-paths.ts'
import { StoreWriter } from '../store/store-writer.ts'
import { ensureAllIgnored } from '../workspace/git-ignore-file.ts'
import { portabilityWarnings } from '../workspace/portability-warnings.ts'
import { replaceFiles } from '../workspace/replace-files.ts'
import { takeSnapshots } from '../workspace/snapshot.ts'
import type { WorkspaceState } from '../workspace/workspace-state.ts'
import { findPathsToAdd } from './find-paths-to-add.ts'
import { selectWorkingTree } from './select-tracked.ts'
import {
  type BadPointer,
  entryOf,
  type GoodPointer,
  idOf,
  listPointers,
  pointerOf,
  pointerPathOf,
} from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type AddOptions = {
  /** What to add; with `update`, what of the tracked paths to add again: none means all. */
  paths: readonly string[]
  /** Take in what changed in paths that are tracked already, and nothing new. */
  update?: boolean
  /** Add what is here although it came from another version than the pointer names. */
  force?: boolean
  /** Stage pointers and ignore lines with git. */
  stage: boolean
  description?: string | undefined
  labels?: Record<string, string>
}

export type AddedPath = {
  path: string
  pointer: string
  change: 'new' | 'updated' | 'unchanged'
  kind: PointerKind
  id: ContentId | undefined
  sizeBytes: number
  files: number
}

export type AddResult = {
  added: AddedPath[]
  /** What the store grew by. */
  storedBytes: number
  warnings: string[]
}

/**
 * Tracks files and directories, or takes in what changed in those tracked already: bytes into the store first, then
 * pointers, then git's index. When it fails, no pointer has changed.
 * @throws NOT_FOUND, OUTSIDE_REPOSITORY, ALREADY_TRACKED, UNSUPPORTED_FILE, CHANGED_WHILE_READING, NO_SPACE, CONFLICT
 */
export async function add(workbench: Workbench, options: AddOptions): Promise<AddResult> {
  const { root, store, cache, state } = workbench
  const tracked = await listPointers(workbench)
  const trackedPaths = tracked.map(({ path }) => path)
  const { userPaths, skipped } = options.update
    ? await pathsToUpdate(workbench, options)
    : { userPaths: options.paths, skipped: [] }
  const paths = await findPathsToAdd(workbench, trackedPaths, userPaths)
  const wanted = new Set(paths)
  const pointers = new Map(tracked.filter(({ path }) => wanted.has(path)).map((one) => [one.path, one]))
  for (const { error } of pointers.values()) if (error !== undefined && !isSettledByAdding(error)) throw error
  if (!options.force) refuseOutdated(state, pointers.values())
  // Git lists no pointer that it ignores.
  await refuseIgnoredPointers(
    workbench,
    paths.filter((path) => !pointers.has(path)),
  )

  const warnings = [...skipped]
  const writer = new StoreWriter(store)
  const results: { path: string; before: Pointer | undefined; after: Pointer; files: number }[] = []
  try {
    for (const path of paths) if (!pointers.has(path)) state.wantAll(path)
    const snapshots = await takeSnapshots({
      ...{ root, store, writer, cache, workers: workbench.workers },
      paths: paths.map((path) => {
        const isElsewhere = state.isElsewhere(path)
        const named = previousOf(path, pointers.get(path)?.pointer, state)
        // Of a part: what the pointer names. Else it only says what of the workspace need not be taken in.
        const previous =
          state.onlyOf(path) !== undefined
            ? named
            : isElsewhere
              ? (state.versionOf(path) ?? named)
              : undefined
        return {
          path,
          previous,
          isLeftOut: (inside: string) => state.isLeftOut(path, inside),
          isElsewhere,
        }
      }),
      onProgress: workbench.onProgress,
      signal: workbench.signal,
    })
    for (const [index, { entry, files, scanned }] of snapshots.entries()) {
      const path = paths[index]!
      warnings.push(...portabilityWarnings(path, scanned))
      const before = pointers.get(path)?.pointer
      const pointer = pointerOf(entry, files, before?.extra ?? '')
      results.push({ path, before, after: await described(pointer, options), files })
    }
    writer.finish()
  } catch (error) {
    writer.abort()
    throw error
  }
  cache.flush()

  const changed = results.filter(({ before, after }) => !isSamePointer(before, after))
  await replaceFiles(
    root,
    changed.map(({ path, after }) => ({ path: pointerPathOf(path), text: encodePointer(after) })),
  )
  const ignoreFiles = ensureAllIgnored(root, paths)
  for (const { path, after } of results) state.remember(path, after)
  state.save()
  if (options.stage) {
    await stagePaths(workbench.project.repository, [...paths.map(pointerPathOf), ...ignoreFiles])
  }
  return { added: results.map(addedPath), storedBytes: writer.addedBytes, warnings }
}

/** The tracked paths that are in the workspace: one that is not has nothing to take in. */
async function pathsToUpdate(
  workbench: Workbench,
  { paths, force }: AddOptions,
): Promise<{ userPaths: string[]; skipped: string[] }> {
  const userPaths: string[] = []
  const skipped: string[] = []
  for (const { tracked } of await selectWorkingTree(workbench, paths)) {
    const absolute = join(workbench.root, tracked.path)
    if (lstatSync(absolute, { throwIfNoEntry: false }) === undefined) continue
    if (!force && workbench.state.isOutdated(tracked.path, tracked.pointer))
      skipped.push(outdated(tracked.path))
    else userPaths.push(absolute)
  }
  return { userPaths, skipped }
}

/**
 * Git has moved a pointer, and the data has not followed: to add that data would undo what came with the pointer.
 * @throws CONFLICT
 */
function refuseOutdated(state: WorkspaceState, pointers: Iterable<GoodPointer | BadPointer>): void {
  for (const { path, pointer } of pointers) {
    if (pointer === undefined || !state.isOutdated(path, pointer)) continue
    throw new VarveError('CONFLICT', outdated(path), {
      hint: `Run \`varve checkout ${path}\` first: it keeps your changes or names them. \`varve add --force\` adds what is here.`,
    })
  }
}

function outdated(path: string): string {
  return `${path} came from another version than its pointer names now: adding it would undo what came in between`
}

/** A pointer with a merge conflict in it, or with damage, has no version: adding gives it one. */
function isSettledByAdding({ code }: VarveError): boolean {
  return code === 'CONFLICT' || code === 'MALFORMED'
}

/** Where the pointer cannot be read, what was left out is as in the version that was here last. */
function previousOf(
  path: string,
  pointer: Pointer | undefined,
  state: WorkspaceState,
): TreeEntry | undefined {
  return pointer === undefined ? state.versionOf(path) : entryOf({ path, pointer })
}

/** Found out before hours of work rather than after: git would not take the pointer. */
async function refuseIgnoredPointers(workbench: Workbench, paths: readonly string[]): Promise<void> {
  const ignored = await checkIgnored(workbench.project.repository, paths.map(pointerPathOf))
  const [first] = ignored
  if (first === undefined) return
  throw new VarveError('CONFLICT', `git ignores ${first}, which it must keep`, {
    hint: 'Change the line in .gitignore (`git check-ignore -v` shows it), or add `!*.varve` below it.',
  })
}

async function described(pointer: Pointer, { description, labels }: AddOptions): Promise<Pointer> {
  if (description === undefined && Object.keys(labels ?? {}).length === 0) return pointer
  // It brings a YAML library with it, which most calls do without.
  const { withMeta } = await import('../format/pointer-meta.ts')
  return withMeta(pointer, { ...(description !== undefined && { description }), ...(labels && { labels }) })
}

function addedPath(result: {
  path: string
  before: Pointer | undefined
  after: Pointer
  files: number
}): AddedPath {
  const { path, before, after, files } = result
  return {
    path,
    pointer: pointerPathOf(path),
    change: before === undefined ? 'new' : isSamePointer(before, after) ? 'unchanged' : 'updated',
    kind: after.kind,
    id: idOf(after),
    sizeBytes: after.sizeBytes,
    files,
  }
}

function isSamePointer(before: Pointer | undefined, after: Pointer): boolean {
  return before !== undefined && encodePointer(before) === encodePointer(after)
}
