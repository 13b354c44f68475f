import { type GitObjectId, toGitObjectId } from './object-id.ts'
import type { Repository } from './repository.ts'
import { runGit } from './run-git.ts'

/**
 * What each path held before a commit: its blob in the commit's first parent, in the order asked for. Undefined where
 * the path was not there, and where the commit has no parent.
 */
export async function blobsBefore(
  repository: Repository,
  steps: readonly { commit: GitObjectId; path: string }[],
): Promise<(GitObjectId | undefined)[]> {
  // A question is a line, so a path with a line break cannot be asked about.
  const asked = steps.map(({ path }) => !path.includes('\n'))
  const questions = steps.filter((_, at) => asked[at]).map(({ commit, path }) => `${commit}^:${path}\n`)
  if (questions.length === 0) return steps.map(() => undefined)
  const args = ['cat-file', '--batch-check=%(objecttype) %(objectname)', '--buffer']
  const { stdout } = await runGit(repository.root, args, { input: questions })
  const answers = stdout.toString('utf8').split('\n')[Symbol.iterator]()
  return asked.map((isAsked) => {
    const [, blobSha] = (isAsked && /^blob ([0-9a-f]+)$/.exec(answers.next().value ?? '')) || []
    return blobSha === undefined ? undefined : toGitObjectId(blobSha)
  })
}
