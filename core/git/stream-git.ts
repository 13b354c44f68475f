import { type GitCallOptions, startGit } from './git-process.ts'

/**
 * Runs git and gives its output piece by piece, as it comes. A caller that stops early ends git.
 *
 * @throws VarveError as `runGit` does, after the last piece.
 */
export async function* streamGit(
  cwd: string,
  args: readonly string[],
  options: GitCallOptions = {},
): AsyncGenerator<Buffer> {
  const git = startGit(cwd, args, options)
  let isComplete = false
  try {
    for await (const chunk of git.stdout) yield chunk as Buffer
    isComplete = true
  } catch (error) {
    // A git that could not start tears the stream down: its own error says more.
    await git.exitCode
    throw error
  } finally {
    if (!isComplete) git.stop()
  }
  await git.exitCode
}
