import type { GitObjectId } from './object-id.ts'
import type { Repository } from './repository.ts'
import { resolveRevision } from './resolve-revision.ts'

/** The commit that is checked out; undefined on a branch that has no commit yet. */
export function currentHead(repository: Repository): Promise<GitObjectId | undefined> {
  return resolveRevision(repository, 'HEAD')
}
