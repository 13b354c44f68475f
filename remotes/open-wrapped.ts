import type { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'
import { openRemote, type RemoteToOpen } from './open.ts'
import { type RequestCounts, withCounting } from './with-counting.ts'
import { withLimit } from './with-limit.ts'
import { withRetry } from './with-retry.ts'
import { withStallTimeout } from './with-stall-timeout.ts'

/**
 * Opens a remote as commands use it: requests are counted one by one, tried again where that may help, and no more
 * than `jobs` at once.
 * @throws BAD_CONFIG as `openRemote` does
 */
export async function openWrappedRemote(
  toOpen: RemoteToOpen,
  options: { jobs: number; onRetry?: ((error: VarveError, delayMs: number) => void) | undefined },
): Promise<{ remote: Remote; counts: RequestCounts }> {
  const { jobs, onRetry } = options
  const { remote: counted, counts } = withCounting(withStallTimeout(await openRemote(toOpen)))
  return { remote: withRetry(withLimit(counted, { most: jobs }), { onRetry }), counts }
}
