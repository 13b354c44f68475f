/**
 * The one error class of the library. `code` is from a closed set, so that a caller can decide without
 * reading prose; `message` says what and where; `hint` is one imperative sentence on what to do now.
 * Anything else that is thrown is a bug.
 */
export class VarveError extends Error {
  readonly code: ErrorCode
  readonly hint: string | undefined
  /** The same call may succeed if it is made again (network, throttling). */
  readonly retryable: boolean

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; retryable?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'VarveError'
    this.code = code
    this.hint = options.hint
    this.retryable = options.retryable ?? false
  }
}

export type ErrorCode =
  /** The command line itself is wrong: unknown option, missing argument, contradicting flags. */
  | 'USAGE'
  /** `varve.yaml`, `.git/varve/config.yaml` or a value set in them is wrong. */
  | 'BAD_CONFIG'
  /** Not inside a git work tree, or git itself cannot be run. */
  | 'NOT_A_REPOSITORY'
  /** Inside git, but `varve init` has not been run. */
  | 'NOT_INITIALISED'
  /** A path that lies outside the repository. */
  | 'OUTSIDE_REPOSITORY'
  /** A path, revision, remote, version or object that does not exist. */
  | 'NOT_FOUND'
  /** A path that varve does not track. */
  | 'NOT_TRACKED'
  /** A path that git tracks already, or that overlaps another tracked path. */
  | 'ALREADY_TRACKED'
  /** A name or kind of file that cannot be versioned: socket, device, not UTF-8, reserved name. */
  | 'UNSUPPORTED_FILE'
  /** A file that changed or vanished while it was being read. */
  | 'CHANGED_WHILE_READING'
  /** Going on would destroy bytes that no version holds. */
  | 'WOULD_LOSE_DATA'
  /** The workspace is not in the state that the command needs (conflict in a pointer, unmerged path). */
  | 'CONFLICT'
  /** A pointer, tree, pack, segment, record or config that breaks its format. */
  | 'MALFORMED'
  /** A format that a newer Varve wrote. */
  | 'TOO_NEW'
  /** A name, path, size or count that no honest writer produces. */
  | 'HOSTILE'
  /** Stored bytes that do not match their id or checksum. */
  | 'CORRUPT'
  /** Bytes that a version needs and that neither the store nor a remote has. */
  | 'MISSING_BYTES'
  /** No remote is configured. */
  | 'NO_REMOTE'
  /** A place that a committed config names, and that would be shown the user's credentials. */
  | 'NOT_TRUSTED'
  /** The remote refused, or could not be reached. */
  | 'REMOTE_FAILED'
  /** No answer at all: no network, no such host, nothing listens there. */
  | 'REMOTE_UNREACHABLE'
  /** The remote asks for fewer requests: the same one succeeds later. */
  | 'REMOTE_BUSY'
  /** The remote has something under a key that was to be created only if absent. */
  | 'ALREADY_EXISTS'
  | 'NO_SPACE'
  | 'NO_PERMISSION'
  /** Another I/O error of the operating system. */
  | 'IO'
  /** The user, or a signal, ended the command. */
  | 'INTERRUPTED'

/** Maps an operating system's error on `path` to a VarveError; passes through what is one already. */
export function fromSystemError(error: unknown, doing: string): unknown {
  if (!(error instanceof Error) || error instanceof VarveError) return error
  const code = (error as NodeJS.ErrnoException).code
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new VarveError('NO_SPACE', `no space left while ${doing}`, {
        hint: 'Free some space and run the command again; nothing that was stored before is affected.',
        cause: error,
      })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new VarveError('NO_PERMISSION', `permission denied while ${doing}`, {
        hint: 'Check the owner and mode of that path.',
        cause: error,
      })
    case 'ENOENT':
      return new VarveError('NOT_FOUND', `no such file while ${doing}`, { cause: error })
    case undefined:
      return error
    default:
      // `ERR_...` is Node's own word on a wrong call: a bug.
      return /^E(?!RR_)/.test(code)
        ? new VarveError('IO', `${code} while ${doing}: ${error.message}`, { cause: error })
        : error
  }
}
