import { VarveError } from '../../core/errors.ts'
import { networkError } from '../network-error.ts'

/** Errors before the answer, and in the middle of its body. */
export function requestError(error: unknown, host: string, doing: string): unknown {
  if (error instanceof VarveError) return error
  const known = networkError(error, host, doing)
  if (known !== undefined) return known
  const { code } = error as { code?: unknown }
  // A wrong call is a bug, and stays one.
  if (typeof code === 'string' && /^(HPE_|ERR_SSL_|UND_ERR_(?!INVALID|NOT_SUPPORTED))/.test(code)) {
    return new VarveError('REMOTE_FAILED', `${host} gives no proper answer (${code}) while ${doing}`, {
      hint: 'Check the URL and any proxy between, and run the command again.',
      retryable: true,
      cause: error,
    })
  }
  return error
}
