import { VarveError } from '../../core/errors.ts'

/** Such an answer may be another one soon, though the server is not asking for fewer requests. */
const PASSING: ReadonlySet<number> = new Set([408, 425, 500, 502, 504, 520, 521, 522, 523, 524])

/** What a status means that is none of those a request hopes for. `doing` names the key and the remote. */
export function statusError(statusCode: number, doing: string): VarveError {
  switch (statusCode) {
    case 404:
    case 410:
      return new VarveError('NOT_FOUND', `the web server has no such file (${statusCode}) while ${doing}`)
    case 403:
      return new VarveError('NO_PERMISSION', `the web server refuses (403) while ${doing}`, {
        hint: 'Ask who runs it to let everybody read the whole folder; some object stores say so of a file that is missing.',
      })
    case 407:
      return new VarveError('REMOTE_FAILED', `the proxy wants a user and a password (407) while ${doing}`, {
        hint: 'Set them in https_proxy or http_proxy, as http://USER:PASSWORD@HOST:PORT.',
      })
    case 429:
    case 503:
      return new VarveError('REMOTE_BUSY', `the web server asks to wait (${statusCode}) while ${doing}`, {
        hint: 'Run the command again later: it goes on where it was.',
        retryable: true,
      })
    default:
      return unexpected(statusCode, doing)
  }
}

function unexpected(statusCode: number, doing: string): VarveError {
  const retryable = PASSING.has(statusCode)
  const hint = retryable
    ? 'Run the command again later: it goes on where it was.'
    : 'Check that the URL is that of a folder on a plain web server.'
  return new VarveError('REMOTE_FAILED', `the web server answers ${statusCode} while ${doing}`, {
    hint,
    retryable,
  })
}
