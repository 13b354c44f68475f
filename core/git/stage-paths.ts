import type { Repository } from './repository.ts'
import { runOnPaths } from './run-on-paths.ts'

/**
 * Puts files as they are now into git's index; a tracked file that is gone leaves it.
 *
 * @throws NOT_FOUND when one is neither there nor tracked, CONFLICT when git ignores one.
 */
export async function stagePaths(repository: Repository, paths: readonly string[]): Promise<void> {
  await runOnPaths(repository, ['add'], paths)
}
