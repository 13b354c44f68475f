import { VarveError } from '../errors.ts'
import { isAtOrBelow, PathFilter } from '../path-filter.ts'
import { readDirectory, walkTree } from '../store/find-in-tree.ts'
import type { Store } from '../store/store.ts'
import { suggest } from '../suggest.ts'
import { fetchListings } from './fetch-listings.ts'
import { meaningOf, repositoryPathOf, type Selected } from './select-tracked.ts'
import { entryOf, type Tracked } from './tracked.ts'
import { typedPath } from './typed-path.ts'
import type { Workbench } from './workbench.ts'

export type MatchOptions = {
  /** The user's PATH arguments that `selected` came from; without any, all of it is kept. */
  paths: readonly string[]
  /** Where the versions are from, if not from the working tree. */
  revision?: string | undefined
  remoteName?: string | undefined
  /** With `as-here` no listing is fetched, and what is in one that is not here is taken for a match. */
  listings?: 'fetched' | 'as-here'
}

/**
 * What is left of a selection without the paths and patterns inside a directory that nothing in its version matches:
 * a pattern may reach into several tracked paths, and stands for something in some of them.
 * @throws NOT_FOUND for a PATH that matches nothing in any of them; MISSING_BYTES, CORRUPT
 */
export async function keepMatching(
  workbench: Workbench,
  selected: readonly Selected[],
  options: MatchOptions,
): Promise<Selected[]> {
  const parts = selected.filter(({ only }) => only !== undefined)
  if (options.paths.length === 0 || parts.length === 0) return [...selected]
  if (options.listings !== 'as-here') await fetchListings(workbench, parts, options.remoteName)

  const matching = new Map<Selected, Set<string>>()
  for (const userPath of options.paths) {
    const path = repositoryPathOf(workbench, userPath)
    const lacking: Tracked[] = []
    let found = 0
    for (const one of selected) {
      const meaning = meaningOf(path, one.tracked)
      if (meaning === 'none') continue
      if (meaning === 'whole' || one.only === undefined) found++
      else if (mayHold(workbench.store, one.tracked, meaning.pattern)) {
        found++
        matching.set(one, (matching.get(one) ?? new Set()).add(meaning.pattern))
      } else lacking.push(one.tracked)
    }
    if (found === 0) throw nothingMatches(workbench, { userPath, path, lacking, revision: options.revision })
  }
  return selected.flatMap((one) => {
    if (one.only === undefined) return [one]
    const only = [...(matching.get(one) ?? [])]
    return only.length === 0 ? [] : [{ ...one, filter: new PathFilter(only), only }]
  })
}

/** Whether something in a version matches, or may do so: not all of its listings are here. */
function mayHold(store: Store, tracked: Tracked, pattern: string): boolean {
  const filter = new PathFilter([pattern])
  const enter = (path: string) => filter.mayMatchBelow(path)
  try {
    for (const { path } of walkTree(store, entryOf(tracked), tracked.path, enter)) {
      if (filter.matches(path)) return true
    }
    return false
  } catch (error) {
    if (error instanceof VarveError && error.code === 'MISSING_BYTES') return true
    throw error
  }
}

function nothingMatches(
  workbench: Workbench,
  what: { userPath: string; path: string; lacking: readonly Tracked[]; revision: string | undefined },
): VarveError {
  const { userPath, path, lacking, revision } = what
  const places = [...new Set(lacking.map((tracked) => tracked.path))]
  const more = places.length > 3 ? `, and ${places.length - 3} more,` : ''
  const where = `${places.slice(0, 3).join(', ')}${more}${revision === undefined ? '' : ` of ${revision}`}`
  const first = lacking[0]!
  const shown = revision === undefined ? typedPath(workbench, first.path) : `${revision}:${first.path}`
  const advice = `\`varve ls ${shown}\` shows what is there.`
  const meant = suggestInside(workbench, first, path)
  return new VarveError('NOT_FOUND', `nothing in ${where} matches ${userPath}`, {
    hint: meant === undefined ? advice : `Did you mean ${meant}? ${advice}`,
  })
}

/** How many names of a directory are compared with the one that was typed. */
const COMPARED_NAMES = 5000

/** The nearest name in the deepest directory of the path that there is. */
function suggestInside(workbench: Workbench, tracked: Tracked, path: string): string | undefined {
  if (!isAtOrBelow(path, tracked.path)) return undefined
  let entry = entryOf(tracked)
  let folder = tracked.path
  for (const name of path.slice(tracked.path.length + 1).split('/')) {
    const children = readDirectory(workbench.store, entry)
    const child = children.find((one) => one.name === name)
    if (child === undefined) {
      const names = children.slice(0, COMPARED_NAMES).map((one) => one.name)
      const meant = suggest(name, names)
      return meant === undefined ? undefined : typedPath(workbench, `${folder}/${meant}`)
    }
    entry = child
    folder = `${folder}/${name}`
  }
  return undefined
}
