import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

/**
 * Runs a git command on exactly these paths, however many. With none, nothing is run: several commands take
 * an empty list for "everything", and `checkout COMMIT` would move HEAD.
 */
export async function runOnPaths(
  repository: Repository,
  args: readonly string[],
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return
  await runGit(repository.root, [...args, '--pathspec-from-file=-', '--pathspec-file-nul'], {
    input: paths.map((path) => `${path}\0`).join(''),
  })
}
