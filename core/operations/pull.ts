import { VarveError } from '../errors.ts'
import { type CheckedOutPath, checkout } from './checkout.ts'
import { type FetchOptions, type FetchResult, fetch, fetchSelected } from './fetch.ts'
import { selectWorkingTree } from './select-tracked.ts'
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
  const lacking: string[] = []
  for (const one of selected) {
    try {
      await fetchSelected(workbench, [one], remoteName)
    } catch (error) {
      if (!isMissingBytes(error)) throw error
      lacking.push(one.tracked.path)
    }
  }
  await checkout(workbench, { paths: [], except: new Set(lacking), force, remoteName })
  // What was missing has come in the meantime.
  if (lacking.length === 0) throw cause
  const { label } = workbench.remote(remoteName).remote
  const shown = lacking.slice(0, 10).join(', ')
  const more = lacking.length > 10 ? `, and ${lacking.length - 10} more` : ''
  const others = lacking.length < selected.length ? '; all other paths are in place' : ''
  throw new VarveError('MISSING_BYTES', `${label} lacks the bytes of ${shown}${more}${others}`, {
    hint: 'Ask whoever added them to run `varve push`.',
    cause,
  })
}

function isMissingBytes(error: unknown): error is VarveError {
  return error instanceof VarveError && error.code === 'MISSING_BYTES'
}
