import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import { throwIfAborted } from '../../workers/workers.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { planMerges } from './plan-merges.ts'

/** How long a replaced object stays, by the server's clock, for readers that listed it before. */
const GRACE_MS = 24 * 3600 * 1000
/** What a push may rewrite of an index that is here, however little it sent. */
const LEAST_MERGE_BYTES = 32 << 20
const MOST_MERGE_BYTES = 256 << 20
/** A push that sent this much may fetch segments to merge them. */
const FETCHING_PUSH_BYTES = 64 << 20
/** Decompressed. */
const MOST_BUNDLE_BYTES = 64 << 20
/** What one push removes at the most. */
const MOST_REMOVALS = 64
const REQUESTS_AT_ONCE = 8

/**
 * After a push: merges segments and records of which many were listed when it began, and removes what was replaced a day ago. Nothing
 * waits for another: whoever merges the same at the same time makes what says the same. What it does grows
 * with `sentBytes`. The push is complete without it, so a failure is left to the next one. Whether it changed anything.
 */
export async function tidyRemote(
  view: RemoteView,
  options: { sentBytes: number; signal?: AbortSignal | undefined },
): Promise<boolean> {
  const before = view.segments.changeCount + view.roots.changeCount
  try {
    await mergeIndex(view, options)
    await mergeRecords(view, options.signal)
    await removeReplaced(view)
  } catch (error) {
    if (!(error instanceof VarveError) || error.code === 'INTERRUPTED') throw error
  }
  return view.segments.changeCount + view.roots.changeCount > before
}

async function mergeIndex(
  { segments }: RemoteView,
  { sentBytes, signal }: { sentBytes: number; signal?: AbortSignal | undefined },
): Promise<void> {
  const mostBytes = Math.max(LEAST_MERGE_BYTES, Math.min(MOST_MERGE_BYTES, sentBytes))
  const mayFetch = sentBytes >= FETCHING_PUSH_BYTES && segments.absent.length > 0
  // Only headers tell which of those that are not here still count.
  if (mayFetch) await segments.readHeaders(segments.absent, signal)
  const pieces = mayFetch ? [...segments.present, ...segments.absent] : segments.present
  for (const names of planMerges(pieces, mostBytes)) {
    throwIfAborted(signal)
    await segments.fetch(names, signal)
    await segments.merge(names, signal)
  }
}

async function mergeRecords({ roots }: RemoteView, signal: AbortSignal | undefined): Promise<void> {
  for (const names of planMerges(roots.present, MOST_BUNDLE_BYTES)) {
    throwIfAborted(signal)
    await roots.merge(names, signal)
  }
}

/** The newest of all listed objects tells what the server's clock has reached at least. */
async function removeReplaced({ segments, roots }: RemoteView): Promise<void> {
  const times = [...segments.listed.values(), ...roots.listed.values()].map(({ modifiedAt }) => +modifiedAt)
  const now = times.reduce((latest, time) => Math.max(latest, time), 0)
  const isOver = ({ by }: { by: { modifiedAt: Date } }) => now - by.modifiedAt.getTime() >= GRACE_MS
  const oldSegments = new Set([...segments.replaced()].filter(isOver).map(({ old }) => old))
  const oldRecords = new Set([...roots.replaced()].filter(isOver).map(({ old }) => old))
  const removals = [
    ...[...oldSegments].map((old) => () => segments.remove(old)),
    ...[...oldRecords].map((old) => () => roots.remove(old)),
  ]
  const limit = pLimit(REQUESTS_AT_ONCE)
  await Promise.all(removals.slice(0, MOST_REMOVALS).map((remove) => limit(remove)))
}
