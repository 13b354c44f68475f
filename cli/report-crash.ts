import { writeSync } from 'node:fs'
import { fromSystemError, VarveError } from '../core/errors.ts'
import { EXIT_BROKEN_PIPE, EXIT_BUG, exitCodeOf } from './exit-codes.ts'

/**
 * Ends the process for what is thrown outside a command, where nothing else can tell of it: output that cannot be
 * written, a current folder that was deleted. A line and a hint; the stack for bugs alone.
 */
export function reportCrash(thrown: unknown): never {
  if ((thrown as NodeJS.ErrnoException | undefined)?.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE)
  const error = translate(thrown)
  const isKnown = error instanceof VarveError
  const lines = isKnown
    ? [`varve: ${error.message}`, ...(error.hint === undefined ? [] : [`hint: ${error.hint}`])]
    : [
        `varve: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
        'hint: this is a bug in varve: please report it, with what you typed',
      ]
  try {
    writeSync(2, `${lines.join('\n')}\n`)
  } catch {
    // Standard error may be what cannot be written: the exit code is all that is left.
  }
  process.exit(isKnown ? exitCodeOf[error.code] : EXIT_BUG)
}

function translate(thrown: unknown): unknown {
  const { syscall, path } = (thrown ?? {}) as NodeJS.ErrnoException
  if (syscall === 'uv_cwd') {
    return new VarveError('NOT_FOUND', 'the current folder is not there any more', {
      hint: 'Change into a folder that is there, then run this again.',
      cause: thrown,
    })
  }
  if (syscall === 'write' && path === undefined) return fromSystemError(thrown, 'writing the output')
  return thrown
}
