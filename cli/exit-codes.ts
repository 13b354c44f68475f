import type { ErrorCode } from '../core/errors.ts'

/** The process's exit code for each error. docs/commands/exit-codes.md documents it; 3 and 4 are kept free. */
export const exitCodeOf: Readonly<Record<ErrorCode, number>> = {
  NOT_FOUND: 1,
  NOT_TRACKED: 1,
  ALREADY_TRACKED: 1,
  ALREADY_EXISTS: 1,
  OUTSIDE_REPOSITORY: 1,
  UNSUPPORTED_FILE: 1,
  CHANGED_WHILE_READING: 1,
  USAGE: 2,
  BAD_CONFIG: 2,
  NOT_A_REPOSITORY: 5,
  NOT_INITIALISED: 5,
  CONFLICT: 6,
  WOULD_LOSE_DATA: 6,
  MALFORMED: 7,
  TOO_NEW: 7,
  HOSTILE: 7,
  CORRUPT: 7,
  MISSING_BYTES: 8,
  NO_REMOTE: 9,
  NOT_TRUSTED: 9,
  REMOTE_FAILED: 9,
  REMOTE_UNREACHABLE: 9,
  REMOTE_BUSY: 9,
  NO_SPACE: 10,
  NO_PERMISSION: 10,
  IO: 10,
  INTERRUPTED: 130,
}

/** An exception that is no VarveError: a fault of the program. */
export const EXIT_BUG = 70

export const EXIT_INTERRUPTED = exitCodeOf.INTERRUPTED

/** The reader of standard output went away; what a shell shows for a program that SIGPIPE ends. */
export const EXIT_BROKEN_PIPE = 141
