import { type ChildProcess, spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { VarveError } from '../errors.ts'
import { gitFailure } from './git-failure.ts'

export type GitCallOptions = {
  /** What git reads from its standard input. Without it the input is empty. */
  input?: string | Iterable<string>
  /** Exit codes that are an answer rather than a failure. `[0]` by default. */
  okExitCodes?: readonly number[]
  /** `literal` (the default) takes a path as it is; `glob` gives `*` its meaning. */
  pathspecs?: 'literal' | 'glob'
  /** Settings for this call alone, in place of what the user's git config says. */
  config?: Readonly<Record<string, string>>
}

export type GitProcess = {
  stdout: Readable
  /** The exit code, one of `okExitCodes`. Rejects with a VarveError on any other ending. */
  exitCode: Promise<number>
  /** Ends git without waiting for the rest of its output. */
  stop(): void
}

const STDERR_LIMIT_BYTES = 64 * 1024

/**
 * Starts git without a shell. Nothing else in Varve starts it.
 *
 * The environment is handed on, since `GIT_DIR`, `GIT_INDEX_FILE`, `HOME` and the like belong to how the
 * user runs git (hooks set them); this is the one place in core that reads it. Changed in it: messages are
 * untranslated, nothing prompts, no lock is taken just to refresh the index, and pathspec magic that the
 * user switched on globally does not reach our paths.
 *
 * @throws NOT_FOUND when `cwd` is no folder.
 */
export function startGit(cwd: string, args: readonly string[], options: GitCallOptions = {}): GitProcess {
  const { input, okExitCodes = [0], pathspecs = 'literal', config = {} } = options
  if (args.some((arg) => arg.includes('\0'))) {
    throw new VarveError('NOT_FOUND', `git ${args[0]}: an argument contains a NUL character`)
  }
  if (statSync(cwd, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new VarveError('NOT_FOUND', `no such folder: ${cwd}`)
  }
  const settings = Object.entries(config).flatMap(([key, value]) => ['-c', `${key}=${value}`])
  const child = spawn('git', ['--no-pager', ...settings, ...args], {
    cwd,
    env: gitEnvironment(pathspecs),
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  if (child.stdin !== null && input !== undefined) {
    // A git that ends early closes the pipe; its exit code tells the story, not this error.
    child.stdin.on('error', () => {})
    Readable.from(typeof input === 'string' ? [input] : input).pipe(child.stdin)
  }
  const exitCode = exitOf(child, args, okExitCodes)
  // The caller may still be reading stdout when git fails; it awaits the promise afterwards.
  exitCode.catch(() => {})
  return { stdout: child.stdout!, exitCode, stop: () => void child.kill() }
}

function gitEnvironment(pathspecs: 'literal' | 'glob'): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: pathspecs === 'literal' ? '1' : '0',
  }
  for (const name of ['GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS']) {
    delete environment[name]
  }
  return environment
}

function exitOf(
  child: ChildProcess,
  args: readonly string[],
  okExitCodes: readonly number[],
): Promise<number> {
  const errors: Buffer[] = []
  let errorBytes = 0
  child.stderr!.on('data', (chunk: Buffer) => {
    if (errorBytes < STDERR_LIMIT_BYTES) errors.push(chunk)
    errorBytes += chunk.length
  })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(cannotRunGit(cause)))
    child.once('close', (code, signal) => {
      if (code !== null && okExitCodes.includes(code)) resolve(code)
      else reject(gitFailure({ args, code, signal, stderr: Buffer.concat(errors).toString('utf8') }))
    })
  })
}

function cannotRunGit(cause: NodeJS.ErrnoException): VarveError {
  return cause.code === 'ENOENT'
    ? new VarveError('NOT_A_REPOSITORY', 'git is not installed, or not on the PATH', {
        hint: 'Install git 2.30 or later.',
        cause,
      })
    : new VarveError('NOT_A_REPOSITORY', `git cannot be run: ${cause.message}`, { cause })
}
