import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const varveProgram: string = fileURLToPath(new URL('../../dist/varve.js', import.meta.url))

export type VarveRun = {
  stdout: string
  stderr: string
  exitCode: number | null
  signal: NodeJS.Signals | null
}

export type RunVarveOptions = {
  cwd: string
  /** Added to a clean environment; undefined removes. */
  env?: Record<string, string | undefined>
  input?: string | Uint8Array
  /** Another program than the built one: a fixture. */
  program?: string
  /** A command that runs another one, with its own arguments: what the program is started through. */
  launcher?: readonly string[]
}

/** Runs the built program to its end, whatever that is. */
export async function runVarve(args: readonly string[], options: RunVarveOptions): Promise<VarveRun> {
  const [command, ...words] = [...(options.launcher ?? []), process.execPath]
  const child = spawn(command!, [...words, options.program ?? varveProgram, ...args], {
    cwd: options.cwd,
    env: cleanEnvironment(options.env),
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes))
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes))
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return {
    stdout: Buffer.concat(stdout).toString('utf8'),
    stderr: Buffer.concat(stderr).toString('utf8'),
    exitCode,
    signal,
  }
}

/** Runs it, and throws with what it said unless it ended with 0. */
export async function varve(args: readonly string[], options: RunVarveOptions): Promise<string> {
  const { stdout, stderr, exitCode, signal } = await runVarve(args, options)
  if (exitCode !== 0) {
    throw new Error(`varve ${args.join(' ')} ended with ${exitCode ?? signal}:\n${stderr}${stdout}`)
  }
  return stdout
}

/** The one JSON document that a command prints. */
export async function varveJson<Result>(args: readonly string[], options: RunVarveOptions): Promise<Result> {
  return JSON.parse(await varve([...args, '--json'], options)) as Result
}

/** Nothing of the user's: no git configuration, no colours, an author for commits. */
export function cleanEnvironment(added: Record<string, string | undefined> = {}): Record<string, string> {
  const environment = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TMPDIR: process.env.TMPDIR,
    LANG: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
    GIT_TERMINAL_PROMPT: '0',
    ...added,
  }
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
