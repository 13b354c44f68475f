import { VarveError } from '../errors.ts'
import { type CheckedOutPath, checkout } from './checkout.ts'
import { CheckoutStream } from './checkout-stream.ts'
import { type FetchOptions, type FetchResult, fetch, fetchSelected } from './fetch.ts'
import { selectWorkingTree } from './select-tracked.ts'
import type { Workbench } from './workbench.ts'

export type PullResult = {
  fetched: FetchResult
  /** Bytes that went straight into the workspace, and not into the store. */
  streamedBytes: number
  checkedOut: CheckedOutPath[]
}

export type PullOptions = FetchOptions & {
  force: boolean
  /** Whether bytes go into the store, and from there into the workspace. Default: true. */
  store?: boolean | undefined
}

/**
 * Fetches, then checks out. With a revision or all of history, only the working tree's own versions are checked out.
 * Where nothing was named, and some paths cannot be had, the others are in place before it throws.
 * @throws USAGE for bytes of other versions that are to go nowhere; what `fetch` and `checkout` throw
 */
export async function pull(workbench: Workbench, options: PullOptions): Promise<PullResult> {
  const { paths, revision, all, store: keepsData = true } = options
  if (!keepsData && (revision !== undefined || all)) throw nowhereToGo()
  const bring = keepsData ? bringThroughStore : bringStraight
  try {
    return await bring(workbench, options)
  } catch (error) {
    const isBare = paths.length === 0 && revision === undefined && !all
    if (!isBare || !isMissingBytes(error)) throw error
    return pullWhatThereIs(workbench, options, error)
  }
}

async function bringThroughStore(workbench: Workbench, options: PullOptions): Promise<PullResult> {
  const { paths, force, remoteName } = options
  const fetched = await fetch(workbench, options)
  return { fetched, streamedBytes: 0, checkedOut: await checkout(workbench, { paths, force, remoteName }) }
}

async function bringStraight(
  workbench: Workbench,
  options: PullOptions & { except?: ReadonlySet<string> },
): Promise<PullResult> {
  const { paths, force, remoteName, except } = options
  const stream = new CheckoutStream(workbench, options)
  const checkedOut = await checkout(workbench, {
    paths,
    force,
    remoteName,
    stream,
    ...(except && { except }),
  })
  const { streamedBytes, ...fetched } = stream.result
  return { fetched, streamedBytes, checkedOut }
}

/** @throws MISSING_BYTES in the end, with every path that could not be had; what `fetch` and `checkout` throw */
async function pullWhatThereIs(
  workbench: Workbench,
  options: PullOptions,
  cause: VarveError,
): Promise<never> {
  const { force, remoteName, store: keepsData = true } = options
  const selected = await selectWorkingTree(workbench, [], { wanted: 'as-before' })
  if (selected.length === 1) throw cause
  const all = selected.map(({ tracked }) => tracked.path)
  const lacking: string[] = []
  for (const one of selected) {
    const { path } = one.tracked
    try {
      if (keepsData) await fetchSelected(workbench, [one], remoteName)
      else await bringStraight(workbench, { ...options, except: new Set(all.filter((p) => p !== path)) })
    } catch (error) {
      if (!isMissingBytes(error)) throw error
      lacking.push(path)
    }
  }
  if (keepsData) await checkout(workbench, { paths: [], except: new Set(lacking), force, remoteName })
  // What was missing has come in the meantime.
  if (lacking.length === 0) throw cause
  const { label } = workbench.remote(remoteName).remote
  const shown = lacking.slice(0, 10).join(', ')
  const more = lacking.length > 10 ? `, and ${lacking.length - 10} more` : ''
  const hasOthers = workbench.project.config.remotes.size > 1
  const others = lacking.length < selected.length ? '; all other paths are in place' : ''
  throw new VarveError('MISSING_BYTES', `${label} lacks the bytes of ${shown}${more}${others}`, {
    hint: `Ask whoever added them to run \`varve push\`${hasOthers ? ', or fetch from another remote: `-r NAME`' : ''}.`,
    cause,
  })
}

function nowhereToGo(): VarveError {
  return new VarveError('USAGE', 'what a revision or --all brings has nowhere to go with --no-store', {
    hint: 'Check the revision out with git first, or leave out `--no-store`.',
  })
}

function isMissingBytes(error: unknown): error is VarveError {
  return error instanceof VarveError && error.code === 'MISSING_BYTES'
}
