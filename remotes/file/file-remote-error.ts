import { fromSystemError, VarveError } from '../../core/errors.ts'

/** What a network filesystem answers while its server is away or a file was replaced under a reader. */
const PASSING = new Set([
  'ESTALE',
  'ETIMEDOUT',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ECONNRESET',
  'ENOTCONN',
  'EAGAIN',
])

/** As `fromSystemError`, and knows what a folder on a network filesystem may answer beside. */
export function fileRemoteError(error: unknown, doing: string): unknown {
  const code = systemCode(error)
  if (code !== undefined && PASSING.has(code)) {
    return new VarveError('REMOTE_FAILED', `${code} while ${doing}`, {
      hint: "Check that the folder's server can be reached, and run the command again.",
      retryable: true,
      cause: error,
    })
  }
  if (code === 'EXDEV') {
    return new VarveError('REMOTE_FAILED', `a part of the folder is on another filesystem: ${doing}`, {
      hint: 'Keep the whole remote on one filesystem.',
      cause: error,
    })
  }
  return fromSystemError(error, doing)
}

/** `ENOENT`, `EEXIST` and the like; nothing for an error that is not the operating system's. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof VarveError) return undefined
  return (error as NodeJS.ErrnoException).code
}

/** There is nothing under that path: no such name, or a file stands where a folder would be. */
export function isMissing(error: unknown): boolean {
  const code = systemCode(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}
