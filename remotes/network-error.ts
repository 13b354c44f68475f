import { VarveError } from '../core/errors.ts'

const NO_ANSWER = 'it does not answer'

/** Nothing has reached the other side. */
const UNREACHABLE: Readonly<Record<string, string>> = {
  ENOTFOUND: 'there is no host of that name, or no network',
  EAI_AGAIN: 'its name cannot be looked up now: is there a network?',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that host',
  EHOSTDOWN: 'there is no way to that host',
  ENETUNREACH: 'there is no network',
  ENETDOWN: 'there is no network',
  EADDRNOTAVAIL: 'there is no network',
}

const BROKEN =
  /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|ERR_STREAM_PREMATURE_CLOSE|EPROTO|HPE_.+|ABORT_ERR)$/

const CERTIFICATE = /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_|ERR_TLS_CERT)/

/**
 * What went wrong between this machine and a host, in Varve's words; undefined for an error of another sort.
 * `where` names the host, `doing` the request.
 */
export function networkError(error: unknown, where: string, doing: string): VarveError | undefined {
  const found = systemErrorIn(error)
  if (found === undefined) return undefined
  const { code } = found
  const cause = error
  const why = code === 'ETIMEDOUT' && found.syscall === 'connect' ? NO_ANSWER : UNREACHABLE[code]
  if (why !== undefined) return unreachable({ where, doing, why, cause })
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
  if (code === 'EPROTO' && /wrong version number/.test(found.message)) {
    return new VarveError('REMOTE_FAILED', `${where} does not speak TLS`, {
      hint: 'Write http:// where the service is meant to be used without encryption; else check the port.',
      cause,
    })
  }
  if (!BROKEN.test(code)) return undefined
  return new VarveError('REMOTE_FAILED', `the connection to ${where} broke while ${doing} (${code})`, {
    hint: 'Run the command again: it goes on where it was.',
    retryable: true,
    cause,
  })
}

/** For what waits for a connection by itself. */
export function unanswered(options: { where: string; doing: string; cause: unknown }): VarveError {
  return unreachable({ ...options, why: NO_ANSWER })
}

function unreachable(options: { where: string; doing: string; why: string; cause: unknown }): VarveError {
  const { where, doing, why, cause } = options
  return new VarveError('REMOTE_UNREACHABLE', `${where} cannot be reached while ${doing}: ${why}`, {
    hint: 'Check the network and the address, and run the command again: what was done is kept.',
    retryable: true,
    cause,
  })
}

type SystemError = Error & { code: string; syscall?: string }

/** The error of the system, or of what caused it. */
function systemErrorIn(error: unknown): SystemError | undefined {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    const first: unknown = at instanceof AggregateError ? at.errors[0] : at
    if (first instanceof Error && typeof (first as { code?: unknown }).code === 'string') {
      return first as SystemError
    }
  }
  return undefined
}
