import { lstatSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'
import { checkIgnored } from '../git/check-ignored.ts'
import { listPointerPaths } from '../git/list-pointer-paths.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { stageEdits } from '../git/stage-edits.ts'
import { hasWildcards, isAtOrBelow, PathFilter } from '../path-filter.ts'
import { removeIgnored } from '../workspace/git-ignore-file.ts'
import { repositoryPathOf } from './select-tracked.ts'
import { pointerPathOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type UntrackOptions = { paths: readonly string[]; stage: boolean }

export type UntrackedPath = {
  path: string
  pointer: string
  /** Whether the data stands in the workspace. */
  inWorkspace: boolean
  /** Nothing keeps `git add .` from taking the data into git. */
  visibleToGit: boolean
}

/**
 * Stops tracking: pointer and ignore line go, the data stays where it is, and every version that was added stays in
 * the store. Cut off at any point, running it again ends the work.
 * @throws NOT_TRACKED, before anything is changed; OUTSIDE_REPOSITORY; UNSUPPORTED_FILE for a `.gitignore` that is a
 *   link; CONFLICT, NO_PERMISSION, IO
 */
export async function untrack(workbench: Workbench, options: UntrackOptions): Promise<UntrackedPath[]> {
  const { root, state } = workbench
  const { repository } = workbench.project
  // Also those that do not parse, and those whose file is gone already.
  const pointers = await listPointerPaths(repository)
  const tracked = pointers.map(({ path }) => path.slice(0, -POINTER_SUFFIX.length))
  const paths = [...new Set(options.paths.flatMap((path) => expand(workbench, tracked, path)))].sort()

  const edits: string[] = []
  for (const path of paths) {
    const ignoreFile = removeIgnored(root, path)
    if (ignoreFile !== undefined) edits.push(ignoreFile)
    const pointer = pointerPathOf(path)
    removePointer(root, pointer)
    edits.push(pointer)
    state.forget(path)
  }
  state.save()
  if (options.stage) await stageEdits(repository, edits)

  const ignored = await checkIgnored(repository, paths)
  return paths.map((path) => {
    const inWorkspace = lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined
    const visibleToGit = inWorkspace && !ignored.has(path)
    return { path, pointer: pointerPathOf(path), inWorkspace, visibleToGit }
  })
}

/** A path that is tracked stands for itself, whatever wildcards its name seems to have. */
function expand(workbench: Workbench, tracked: readonly string[], userPath: string): string[] {
  const path = repositoryPathOf(workbench, userPath)
  if (tracked.includes(path)) return [path]
  if (hasWildcards(path)) {
    const filter = new PathFilter([path])
    const matches = tracked.filter((candidate) => filter.matches(candidate))
    if (matches.length > 0) return matches
  }
  throw notTracked(userPath, path, tracked)
}

/** Says what the path is instead. */
export function notTracked(userPath: string, path: string, tracked: readonly string[]): VarveError {
  const above = tracked.find((candidate) => isAtOrBelow(path, candidate))
  if (above !== undefined) {
    return new VarveError('NOT_TRACKED', `${userPath} lies in ${above}, which is tracked as a whole`, {
      hint: `Change the files themselves and run \`varve add ${above}\`, or name ${above}.`,
    })
  }
  const below = tracked.filter((candidate) => isAtOrBelow(candidate, path))
  if (below.length > 0) {
    const more = below.length > 1 ? ` and ${below.length - 1} more` : ''
    return new VarveError('NOT_TRACKED', `${userPath} is not tracked itself, but ${below[0]}${more} in it`, {
      hint: 'Name what is tracked.',
    })
  }
  return new VarveError('NOT_TRACKED', `varve does not track ${userPath}`, {
    hint: '`varve status` lists what is tracked.',
  })
}

function removePointer(root: string, pointer: string): void {
  try {
    rmSync(join(root, pointer), { force: true })
  } catch (error) {
    throw fromSystemError(error, `removing ${pointer}`)
  }
}
