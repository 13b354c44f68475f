import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { removeFromIndex } from './remove-from-index.ts'
import type { Repository } from './repository.ts'
import { stagePaths } from './stage-paths.ts'

/**
 * Makes git's index follow files that were written, made or removed: one that is gone leaves it, and need never have
 * been in it.
 *
 * @throws CONFLICT when git ignores one that is there.
 */
export async function stageEdits(repository: Repository, paths: Iterable<string>): Promise<void> {
  const there: string[] = []
  const gone: string[] = []
  for (const path of new Set(paths)) (existsSync(join(repository.root, path)) ? there : gone).push(path)
  await removeFromIndex(repository, gone)
  await stagePaths(repository, there)
}
