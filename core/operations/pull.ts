import { type CheckedOutPath, checkout } from './checkout.ts'
import { type FetchOptions, type FetchResult, fetch } from './fetch.ts'
import type { Workbench } from './workbench.ts'

export type PullResult = { fetched: FetchResult; checkedOut: CheckedOutPath[] }

/**
 * Fetches, then checks out. With a revision or all of history, only the working tree's own versions are checked out.
 * @throws what `fetch` and `checkout` throw
 */
export async function pull(
  workbench: Workbench,
  options: FetchOptions & { force: boolean },
): Promise<PullResult> {
  const fetched = await fetch(workbench, options)
  const { paths, force, remoteName } = options
  return { fetched, checkedOut: await checkout(workbench, { paths, force, remoteName }) }
}
