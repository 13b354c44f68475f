import { VarveError } from '../errors.ts'
import { type GitObjectId, isGitObjectId } from './object-id.ts'
import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

/**
 * The commit that a user's text names (branch, tag, abbreviated id, `HEAD~3`, ...); undefined when there
 * is none, when the text names something that is no commit, and when it looks like an option.
 *
 * @throws VarveError when git cannot decide, as for an abbreviation with two meanings.
 */
export async function resolveRevision(
  repository: Repository,
  text: string,
): Promise<GitObjectId | undefined> {
  if (text === '' || text.startsWith('-') || /[\0\n]/.test(text)) return undefined
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${text}^{commit}`]
  const { stdout } = await runGit(repository.root, args, { okExitCodes: [0, 1] })
  const id = stdout.toString('utf8').trim()
  return isGitObjectId(id) ? id : undefined
}

/** @throws NOT_FOUND where `resolveRevision` finds nothing. */
export async function requireRevision(repository: Repository, text: string): Promise<GitObjectId> {
  const commit = await resolveRevision(repository, text)
  if (commit !== undefined) return commit
  throw new VarveError('NOT_FOUND', `no such commit: ${JSON.stringify(text)}`, {
    hint: 'Name a branch, a tag or a commit; `git log --oneline` lists them.',
  })
}
