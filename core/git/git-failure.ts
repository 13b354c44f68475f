import { type ErrorCode, VarveError } from '../errors.ts'

type Known = { pattern: RegExp; code: ErrorCode; hint?: string; retryable?: true }

/** Messages of git that have a meaning here. Git's texts are untranslated, see `startGit`. */
const KNOWN: readonly Known[] = [
  {
    pattern: /not a git repository/,
    code: 'NOT_A_REPOSITORY',
    hint: 'Run `git init` first, or change into a git repository.',
  },
  {
    pattern: /dubious ownership|unsafe repository/,
    code: 'NOT_A_REPOSITORY',
    hint: 'If you trust this folder, run `git config --global --add safe.directory` with its path.',
  },
  {
    pattern: /\.lock'?: File exists/,
    code: 'CONFLICT',
    hint: 'Wait for the other git command to end, then run this again.',
    retryable: true,
  },
  {
    pattern: /bad revision|unknown revision|bad object|did not match any file/,
    code: 'NOT_FOUND',
  },
  {
    pattern: /are ignored by one of your/,
    code: 'CONFLICT',
    hint: 'Remove the ignore rule that matches it.',
  },
  {
    pattern: /No space left on device/,
    code: 'NO_SPACE',
    hint: 'Free some space and run the command again.',
  },
  { pattern: /Permission denied|Read-only file system/, code: 'NO_PERMISSION' },
]

/** What a git that ended badly means: its first line of complaint, with a code and a hint where they are known. */
export function gitFailure(ending: {
  args: readonly string[]
  code: number | null
  signal: NodeJS.Signals | null
  stderr: string
}): VarveError {
  const verb = `git ${ending.args[0]}`
  if (ending.signal !== null) {
    return new VarveError('INTERRUPTED', `interrupted: ${verb} was ended by ${ending.signal}`)
  }
  const complaint = firstComplaint(ending.stderr) ?? `exit code ${ending.code}`
  const known = KNOWN.find(({ pattern }) => pattern.test(complaint))
  return new VarveError(known?.code ?? 'IO', `${verb}: ${complaint}`, {
    hint: known?.hint,
    retryable: known?.retryable ?? false,
  })
}

/** Warnings and traces may come before the line that counts; a line that ends in a colon goes on in the next. */
function firstComplaint(stderr: string): string | undefined {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  const fatal = lines.findIndex((line) => /^(fatal|error): /.test(line))
  const at = fatal === -1 ? 0 : fatal
  const line = lines[at]?.replace(/^(fatal|error): /, '').trim()
  const next = lines[at + 1]?.trim()
  return line?.endsWith(':') && next !== undefined ? `${line} ${next}` : line
}
