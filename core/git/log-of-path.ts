import { VarveError } from '../errors.ts'
import { currentHead } from './current-head.ts'
import type { GitObjectId } from './object-id.ts'
import { POINTER_PATHSPEC, POINTER_SUFFIX } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { requireRevision } from './resolve-revision.ts'
import { runGit } from './run-git.ts'
import { type LoggedCommit, streamLog } from './stream-log.ts'

export type PathVersion = Omit<LoggedCommit, 'parents' | 'changes'> & {
  /** What the pointer was called then. */
  path: string
  /** Undefined where this commit deletes it. */
  blobSha: GitObjectId | undefined
}

/**
 * The commits that touched a pointer, newest first; where one renamed it without a change in it, on under
 * its older name. Starts at `rev`, or at HEAD.
 *
 * @throws NOT_FOUND when `rev` names no commit.
 */
export async function logOfPath(
  repository: Repository,
  path: string,
  options: { rev?: string } = {},
): Promise<PathVersion[]> {
  if (!path.endsWith(POINTER_SUFFIX))
    throw new VarveError('NOT_TRACKED', `not the path of a pointer: ${path}`)
  const start =
    options.rev === undefined ? await currentHead(repository) : await requireRevision(repository, options.rev)
  if (start === undefined) return []

  const versions = new Map<string, PathVersion>()
  const names: { path: string; from: GitObjectId }[] = [{ path, from: start }]
  for (const name of names) {
    const request = { revisions: [name.from], pathspec: name.path, pathspecs: 'literal' } as const
    for await (const { parents, changes, ...commit } of streamLog(repository, request)) {
      const change = changes.find((candidate) => candidate.path === name.path)
      const key = `${commit.commit} ${name.path}`
      if (change === undefined || versions.has(key)) continue
      versions.set(key, { ...commit, path: name.path, blobSha: change.blobSha })
      for (const [at, parent] of parents.entries()) {
        if (change.statuses[at] !== 'A') continue
        const older = await olderName(repository, { parent, commit: commit.commit, path: name.path })
        if (older !== undefined) names.push({ path: older, from: parent })
      }
    }
  }
  return [...versions.values()]
}

/** What the pointer was called in `parent`, if the commit did no more than rename it. */
async function olderName(
  repository: Repository,
  step: { parent: GitObjectId; commit: GitObjectId; path: string },
): Promise<string | undefined> {
  const args = ['diff-tree', '-r', '-z', '--name-status', '--find-renames=100%', '--diff-filter=R']
  const { stdout } = await runGit(
    repository.root,
    [...args, step.parent, step.commit, '--', POINTER_PATHSPEC],
    { pathspecs: 'glob' },
  )
  // R100 NUL OLD NUL NEW NUL, again and again
  const fields = stdout.toString('utf8').split('\0')
  for (let at = 0; at + 2 < fields.length; at += 3) {
    if (fields[at + 2] === step.path) return fields[at + 1]
  }
  return undefined
}
