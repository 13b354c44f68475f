import { join } from 'node:path'
import { VarveError } from '../errors.ts'
import { PathFilter } from '../path-filter.ts'
import { walkTree } from '../store/find-in-tree.ts'
import { type CheckedOutPath, checkout } from './checkout.ts'
import { type FetchOptions, type FetchResult, fetch, fetchSelected } from './fetch.ts'
import { type Selected, selectWorkingTree } from './select-tracked.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type PullResult = { fetched: FetchResult; checkedOut: CheckedOutPath[] }

export type PullOptions = FetchOptions & { force: boolean }

/**
 * Fetches, then checks out. With a revision or all of history, only the working tree's own versions are checked out.
 * Where nothing was named, and some paths cannot be had, the others are in place before it throws.
 * @throws what `fetch` and `checkout` throw
 */
export async function pull(workbench: Workbench, options: PullOptions): Promise<PullResult> {
  const { paths, revision, all, force, remoteName } = options
  let fetched: FetchResult
  try {
    fetched = await fetch(workbench, options)
  } catch (error) {
    const isBare = paths.length === 0 && revision === undefined && !all
    if (!isBare || !isMissingBytes(error)) throw error
    return pullWhatThereIs(workbench, options, error)
  }
  return { fetched, checkedOut: await checkout(workbench, { paths, force, remoteName }) }
}

/** @throws MISSING_BYTES in the end, with every path that could not be had; what `fetch` and `checkout` throw */
async function pullWhatThereIs(
  workbench: Workbench,
  options: PullOptions,
  cause: VarveError,
): Promise<never> {
  const { force, remoteName } = options
  const selected = await selectWorkingTree(workbench, [], { wanted: 'as-before' })
  if (selected.length === 1) throw cause
  const available: string[] = []
  const lacking: string[] = []
  for (const one of selected) {
    try {
      await fetchSelected(workbench, [one], remoteName)
      available.push(...argumentsFor(workbench, one))
    } catch (error) {
      if (!isMissingBytes(error)) throw error
      lacking.push(one.tracked.path)
    }
  }
  // No path at all would mean all of them.
  if (available.length > 0) await checkout(workbench, { paths: available, force, remoteName })
  // What was missing has come in the meantime.
  if (lacking.length === 0) throw cause
  const { label } = workbench.remote(remoteName).remote
  const shown = lacking.slice(0, 10).join(', ')
  const more = lacking.length > 10 ? `, and ${lacking.length - 10} more` : ''
  const others = available.length > 0 ? '; all other paths are in place' : ''
  throw new VarveError('MISSING_BYTES', `${label} lacks the bytes of ${shown}${more}${others}`, {
    hint: 'Ask whoever added them to run `varve push`.',
    cause,
  })
}

/**
 * The arguments that name a path, or the parts of it that are wanted and still there, wherever the command runs. Its
 * listings are in the store.
 */
function argumentsFor(workbench: Workbench, { tracked, only }: Selected): string[] {
  const isThere = (pattern: string) => {
    const filter = new PathFilter([pattern])
    const enter = (path: string) => filter.mayMatchBelow(path)
    for (const { path } of walkTree(workbench.store, entryOf(tracked), tracked.path, enter)) {
      if (filter.matches(path)) return true
    }
    return false
  }
  return (only?.filter(isThere) ?? [tracked.path]).map((path) => join(workbench.root, path))
}

function isMissingBytes(error: unknown): error is VarveError {
  return error instanceof VarveError && error.code === 'MISSING_BYTES'
}
