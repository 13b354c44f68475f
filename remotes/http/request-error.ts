import { VarveError } from '../../core/errors.ts'
import { networkError } from '../network-error.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import { statusError } from './status-error.ts'

/** Errors before the answer, and in the middle of its body. */
export function requestError(error: unknown, host: string, doing: string): unknown {
  if (error instanceof VarveError) return error
  if (error instanceof ProxyRefusal) return refusedByProxy(error, doing)
  const known = networkError(error, host, doing)
  if (known !== undefined) return known
  const { code } = error as { code?: unknown }
  // A wrong call is a bug, and stays one.
  if (typeof code === 'string' && /^(HPE_|ERR_SSL_)/.test(code)) {
    return new VarveError('REMOTE_FAILED', `${host} gives no proper answer (${code}) while ${doing}`, {
      hint: 'Check the URL and any proxy between, and run the command again.',
      retryable: true,
      cause: error,
    })
  }
  return error
}

function refusedByProxy(error: ProxyRefusal, doing: string): VarveError {
  const { statusCode } = error
  if (statusCode === 407) return statusError(statusCode, doing)
  return new VarveError('REMOTE_FAILED', `the proxy answers ${statusCode} while ${doing}`, {
    hint: 'Check https_proxy, or name the host in no_proxy if it is reached without.',
    retryable: statusCode >= 500 || statusCode === 429,
    cause: error,
  })
}
