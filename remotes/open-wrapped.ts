import type { Remote } from '../core/remote.ts'
import { openRemote, type RemoteToOpen } from './open.ts'
import { type RequestCounts, withCounting } from './with-counting.ts'
import { withInterruption } from './with-interruption.ts'
import { withLimit } from './with-limit.ts'
import { type OnRetry, withRetry } from './with-retry.ts'
import { withStallTimeout } from './with-stall-timeout.ts'

/**
 * Opens a remote as commands use it: requests are counted one by one, tried again where that may help, no more than
 * `jobs` at once, and none is waited for once `signal` is aborted.
 * @throws BAD_CONFIG as `openRemote` does
 */
export async function openWrappedRemote(
  toOpen: RemoteToOpen,
  options: {
    jobs: number
    signal: AbortSignal
    onRetry?: OnRetry | undefined
  },
): Promise<{ remote: Remote; counts: RequestCounts }> {
  const { jobs, signal, onRetry } = options
  const opened = await openRemote(toOpen)
  const endpointUrl = toOpen.settings.get('endpointUrl')
  const where = endpointUrl === undefined ? opened.label : `${opened.label} (at ${endpointUrl})`
  const { remote: counted, counts } = withCounting(withStallTimeout(opened, { where }))
  const remote = withInterruption(withRetry(withLimit(counted, { most: jobs }), { onRetry }), signal)
  return { remote, counts }
}
