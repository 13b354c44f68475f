import type { Repository } from './repository.ts'
import { requireRevision } from './resolve-revision.ts'
import { runOnPaths } from './run-on-paths.ts'

/**
 * Brings files to their state in a revision, in the index and on disk, as `git checkout REV -- PATH...`
 * does. HEAD stays; local changes in these files are overwritten.
 *
 * @throws NOT_FOUND when there is no such commit, or when it lacks one of the paths: then nothing is changed.
 */
export async function checkoutPaths(
  repository: Repository,
  revision: string,
  paths: readonly string[],
): Promise<void> {
  const commit = await requireRevision(repository, revision)
  await runOnPaths(repository, ['checkout', '--quiet', commit], paths)
}
