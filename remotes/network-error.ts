import { VarveError } from '../core/errors.ts'

/** Nothing has reached the other side. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of that name, or no network',
  EAI_AGAIN: 'its name cannot be looked up now: is there a network?',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no network',
  EADDRNOTAVAIL: 'there is no network',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
}

const BROKEN: ReadonlySet<string> = new Set([
  ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'EPROTO'],
  ...[
    'UND_ERR_SOCKET',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_BODY_TIMEOUT',
    'HPE_INVALID_CONSTANT',
    'ABORT_ERR',
  ],
])

const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_|ERR_TLS_CERT)/

/**
 * What went wrong between this machine and a host, in Varve's words; undefined for an error of another sort.
 * `where` names the host, `doing` the request.
 */
export function networkError(error: unknown, where: string, doing: string): VarveError | undefined {
  const found = codeOf(error)
  if (found === undefined) return undefined
  const { code, cause } = found
  const why = UNREACHABLE[code]
  if (why !== undefined) {
    return new VarveError('REMOTE_UNREACHABLE', `${where} cannot be reached while ${doing}: ${why}`, {
      hint: 'Check the network and the address, and run the command again: what was done is kept.',
      retryable: true,
      cause,
    })
  }
  if (CERTIFICATE.test(code)) {
    return new VarveError(
      'REMOTE_FAILED',
      `${where} shows a certificate that is not trusted here (${code})`,
      {
        hint: 'Check the address; a private authority is named by NODE_EXTRA_CA_CERTS.',
        cause,
      },
    )
  }
  if (!BROKEN.has(code)) return undefined
  return new VarveError('REMOTE_FAILED', `the connection to ${where} broke while ${doing} (${code})`, {
    hint: 'Run the command again: it goes on where it was.',
    retryable: true,
    cause,
  })
}

/** The system's code, of the error or of what caused it. */
function codeOf(error: unknown): { code: string; cause: unknown } | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const [first] = at instanceof AggregateError ? at.errors : []
    const { code } = (first ?? at) as { code?: unknown }
    if (typeof code === 'string') return { code, cause: error }
  }
  return undefined
}
