import { VarveError } from '../errors.ts'
import { currentHead } from './current-head.ts'
import { type GitObjectId, isGitObjectId } from './object-id.ts'
import { POINTER_PATHSPEC } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'
import { streamLog } from './stream-log.ts'

export type HistoryPointer = { commit: GitObjectId; path: string; blobSha: GitObjectId }

export type HistoryRange = {
  /** Revisions, refs and ranges as git writes them: `HEAD`, `v1.0`, `main..topic`. */
  include: readonly string[]
  /** Commits whose history is left out. One that git does not have (any more) is passed over. */
  exclude?: readonly string[]
  /** Also from every ref (stash included), and from HEAD of every worktree. */
  all?: boolean
  /** Also from every entry of every reflog. */
  reflog?: boolean
}

/**
 * Every version of every pointer that a commit of the range introduced, newest commit first. The pointers
 * that were there before the range are not listed. A branch without a commit has none.
 *
 * @throws NOT_FOUND for a revision in `include` that git does not know.
 */
export async function* listHistoryPointers(
  repository: Repository,
  range: HistoryRange,
): AsyncGenerator<HistoryPointer> {
  const flags = [...(range.all ? ['--all'] : []), ...(range.reflog ? ['--reflog'] : [])]
  const included = await withoutUnbornHead(repository, range.include)
  if (included.length === 0 && flags.length === 0) return
  for (const revision of included) refuseOption(revision)
  const excluded = await existingCommits(repository, range.exclude ?? [])
  const revisions = [...included, ...excluded.map((commit) => `^${commit}`)]
  const log = streamLog(repository, { revisions, flags, pathspec: POINTER_PATHSPEC, pathspecs: 'glob' })
  for await (const { commit, changes } of log) {
    for (const { path, blobSha } of changes) {
      if (blobSha !== undefined) yield { commit, path, blobSha }
    }
  }
}

async function withoutUnbornHead(
  repository: Repository,
  include: readonly string[],
): Promise<readonly string[]> {
  if (!include.includes('HEAD') || (await currentHead(repository)) !== undefined) return include
  return include.filter((revision) => revision !== 'HEAD')
}

function refuseOption(revision: string): void {
  if (revision !== '' && !revision.startsWith('-') && !/[\0\n]/.test(revision)) return
  throw new VarveError('NOT_FOUND', `no such revision: ${JSON.stringify(revision)}`, {
    hint: 'Name a branch, a tag, a commit or a range such as `main..topic`.',
  })
}

async function existingCommits(repository: Repository, commits: readonly string[]): Promise<GitObjectId[]> {
  const ids = commits.filter(isGitObjectId)
  if (ids.length === 0) return []
  const { stdout } = await runGit(repository.root, ['cat-file', '--batch-check', '--buffer'], {
    input: ids.map((id) => `${id}\n`).join(''),
  })
  // OBJECT SP TYPE SP SIZE, or OBJECT SP "missing", in the order asked for
  const answers = stdout.toString('utf8').split('\n')
  return ids.filter((_, at) => answers[at]!.split(' ')[1] === 'commit')
}
