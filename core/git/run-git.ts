import { type GitCallOptions, startGit } from './git-process.ts'

export type GitResult = { stdout: Buffer; exitCode: number }

/**
 * Runs git to its end and gives all of its output.
 *
 * @throws VarveError: NOT_A_REPOSITORY when git cannot be run; else what git's first line of complaint means.
 */
export async function runGit(
  cwd: string,
  args: readonly string[],
  options: GitCallOptions = {},
): Promise<GitResult> {
  const git = startGit(cwd, args, options)
  const chunks: Buffer[] = []
  git.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const exitCode = await git.exitCode
  return { stdout: Buffer.concat(chunks), exitCode }
}
