import { VarveError } from '../errors.ts'
import { POINTER_SUFFIX } from '../git/pointer-path.ts'
import { hasWildcards, isAtOrBelow, PathFilter, patternOf } from '../path-filter.ts'
import { toRepositoryPath } from '../project.ts'
import { suggestTracked } from './suggest-tracked.ts'
import { type BadPointer, type GoodPointer, listPointers, listTracked, type Tracked } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A tracked path that a command is about, or a part of it. */
export type Selected = {
  tracked: Tracked
  /** Passes the whole of it where `only` is undefined. */
  filter: PathFilter
  /** The paths and patterns inside it, where the command is about a part. */
  only: string[] | undefined
}

/**
 * Which tracked paths the user's PATH arguments mean: a tracked path, its pointer, a folder above (all in it), a path
 * inside, or a pattern for any of these. No argument means all. `alsoTracked` are pointers that cannot be read: an
 * argument that means nothing else gets that one's error.
 * @throws NOT_TRACKED for an argument that means nothing tracked; OUTSIDE_REPOSITORY
 */
export function selectTracked(
  workbench: Workbench,
  tracked: readonly Tracked[],
  userPaths: readonly string[],
  options: { alsoTracked?: readonly { path: string; error: VarveError }[] } = {},
): Selected[] {
  if (userPaths.length === 0) return tracked.map(whole)
  const parts = new Map<Tracked, string[] | undefined>()
  for (const userPath of userPaths) {
    const path = repositoryPathOf(workbench, userPath)
    let found = 0
    for (const candidate of tracked) {
      const meaning = meaningOf(path, candidate)
      if (meaning === 'none') continue
      found++
      if (meaning === 'whole') parts.set(candidate, undefined)
      else if (!parts.has(candidate)) parts.set(candidate, [meaning.pattern])
      else parts.get(candidate)?.push(meaning.pattern)
    }
    if (found > 0) continue
    const { alsoTracked = [] } = options
    const bad = alsoTracked.find((pointer) => meaningOf(path, pointer) !== 'none')
    throw bad?.error ?? notTracked(workbench, userPath, [...tracked, ...alsoTracked])
  }
  return tracked.flatMap((candidate) => {
    if (!parts.has(candidate)) return []
    const only = parts.get(candidate)
    return [
      only === undefined ? whole(candidate) : { tracked: candidate, filter: new PathFilter(only), only },
    ]
  })
}

/**
 * The same for the pointers of the working tree; a bad one counts only where it is meant. Without an argument, what a
 * partial checkout left out stays left out, if `wanted` is `as-before`.
 * @throws what `selectTracked` and reading a pointer throw
 */
export async function selectWorkingTree(
  workbench: Workbench,
  userPaths: readonly string[],
  options: { wanted: 'all' | 'as-before' } = { wanted: 'all' },
): Promise<Selected[]> {
  if (userPaths.length > 0) {
    const pointers = await listPointers(workbench)
    const good = pointers.filter((pointer): pointer is GoodPointer => pointer.error === undefined)
    const bad = pointers.filter((pointer): pointer is BadPointer => pointer.error !== undefined)
    return selectTracked(workbench, good, userPaths, { alsoTracked: bad })
  }
  return (await listTracked(workbench)).map((tracked) => {
    const isWhole = options.wanted === 'all' || tracked.pointer.kind !== 'dir'
    const only = isWhole ? undefined : workbench.state.onlyOf(tracked.path)
    return only === undefined ? whole(tracked) : { tracked, filter: new PathFilter(only), only: [...only] }
  })
}

/** The user's path, relative to the root; one to a pointer means what it stands for. */
export function repositoryPathOf(workbench: Workbench, userPath: string): string {
  const path = toRepositoryPath(workbench.project, userPath)
  return path.endsWith(POINTER_SUFFIX) ? path.slice(0, -POINTER_SUFFIX.length) : path
}

function whole(tracked: Tracked): Selected {
  return { tracked, filter: PathFilter.literal([tracked.path]), only: undefined }
}

/**
 * What of a tracked path a path or pattern means: all, nothing, or what matches a pattern inside, if anything does.
 * Only a directory has an inside; what a pointer that cannot be read stands for may be one.
 */
export function meaningOf(
  wanted: string,
  { path, pointer }: { path: string; pointer?: Tracked['pointer'] | undefined },
): 'whole' | 'none' | { pattern: string } {
  if (isAtOrBelow(path, wanted)) return 'whole'
  const mayBeDirectory = pointer === undefined || pointer.kind === 'dir'
  if (isAtOrBelow(wanted, path)) {
    // The tracked path's own name is no pattern.
    return mayBeDirectory ? { pattern: patternOf(path) + wanted.slice(path.length) } : 'none'
  }
  if (!hasWildcards(wanted)) return 'none'
  const filter = new PathFilter([wanted])
  if (filter.matches(path)) return 'whole'
  return mayBeDirectory && filter.mayMatchBelow(path) ? { pattern: wanted } : 'none'
}

function notTracked(
  workbench: Workbench,
  userPath: string,
  tracked: readonly { path: string }[],
): VarveError {
  const message = `varve does not track ${userPath}`
  if (workbench.project.config.remotes.has(userPath)) {
    return new VarveError('NOT_TRACKED', message, { hint: `Name a remote with -r: \`-r ${userPath}\`.` })
  }
  const paths = tracked.map(({ path }) => path)
  const meant = suggestTracked(workbench, repositoryPathOf(workbench, userPath), paths)
  const advice = '`varve status` lists what is tracked; `varve add PATH` tracks more.'
  return new VarveError('NOT_TRACKED', message, {
    hint: meant === undefined ? advice : `Did you mean ${meant}? ${advice}`,
  })
}
