import type { Repository } from './repository.ts'
import { runOnPaths } from './run-on-paths.ts'

/** Takes files out of git's index and leaves them on disk; what is not in the index is passed over. */
export async function removeFromIndex(repository: Repository, paths: readonly string[]): Promise<void> {
  await runOnPaths(repository, ['rm', '--cached', '--force', '--quiet', '--ignore-unmatch'], paths)
}
