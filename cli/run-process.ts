import { homedir } from 'node:os'
import type { CommandEntry } from './command.ts'
import { EXIT_BROKEN_PIPE, EXIT_INTERRUPTED } from './exit-codes.ts'
import type { Stream } from './render/output.ts'
import { reportCrash } from './report-crash.ts'
import { runCommandLine } from './run-command-line.ts'

/** Runs the process's own command line to its end: signals, broken pipes, exit. */
export async function runProcess(argv: readonly string[], commands: readonly CommandEntry[]): Promise<never> {
  process.on('uncaughtException', reportCrash)
  const { stdout, stderr, env } = process
  const interruption = new AbortController()
  const onSignal = () => {
    if (interruption.signal.aborted) process.exit(EXIT_INTERRUPTED)
    interruption.abort()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  for (const stream of [stdout, stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // Who reads our output is free to stop reading it: no message, as in `varve log | head`.
      if (error.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE)
      throw error
    })
  }

  const exitCode = await runCommandLine({
    argv,
    commands,
    cwd: process.cwd(),
    environment: { homeDirectory: homedir(), shell: env.SHELL },
    variables: env,
    stdout,
    stderr,
    signal: interruption.signal,
  })
  await Promise.all([flush(stdout), flush(stderr)])
  process.exit(exitCode)
}

function flush(stream: Stream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
