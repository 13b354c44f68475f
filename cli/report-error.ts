import { type ErrorCode, fromSystemError, VarveError } from '../core/errors.ts'
import { EXIT_BUG, exitCodeOf } from './exit-codes.ts'
import type { FrameOutput } from './render/output.ts'

/**
 * Says what went wrong, on standard error for people and, with --json, as the one document on standard
 * output. Gives the exit code.
 */
export function reportError(thrown: unknown, output: FrameOutput, signal: AbortSignal): number {
  const error = translate(thrown, signal)
  const known = error instanceof VarveError
  const message = oneLine(error instanceof Error && error.message !== '' ? error.message : String(error))
  const hint = known
    ? (error.hint ?? usualHints[error.code])
    : 'this is a bug in varve: please report it, with what you typed'

  output.error(`${output.paintError.red('varve:')} ${message}`)
  if (hint !== undefined) output.error(`${output.paintError.cyan('hint:')} ${hint}`)
  const cause = known ? error.cause : error
  if (cause instanceof Error)
    output.detail(known ? `cause: ${cause.message}` : (cause.stack ?? cause.message))

  const code = known ? error.code : 'BUG'
  if (output.json && !output.hasResult)
    output.result({ error: { code, message, hint: hint ?? null } }, () => '')
  return known ? exitCodeOf[error.code] : EXIT_BUG
}

/** For errors from so deep down that what they mean for the user is not known there. */
const usualHints: Readonly<Partial<Record<ErrorCode, string>>> = {
  MALFORMED: 'Run `varve verify --full` to see what is affected.',
  CORRUPT: 'Run `varve verify --full` to see what is affected.',
  INTERRUPTED: 'Run the command again: what was finished is kept.',
}

/** Names are hostile: no control character of theirs reaches a terminal, or begins a line. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}/gu, (char) =>
    char === '\n' ? '\\n' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function translate(thrown: unknown, signal: AbortSignal): unknown {
  // After Ctrl-C whatever fails, fails because of it: git killed by the same signal, a stream cut off.
  if (signal.aborted && !(thrown instanceof VarveError && thrown.code === 'INTERRUPTED')) {
    return new VarveError('INTERRUPTED', 'interrupted', { cause: thrown })
  }
  if (!(thrown instanceof Error) || thrown instanceof VarveError) return thrown
  const { syscall, path } = thrown as NodeJS.ErrnoException
  return syscall === undefined
    ? thrown
    : fromSystemError(thrown, path === undefined ? syscall : `${syscall} ${path}`)
}
