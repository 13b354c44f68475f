import { VarveError } from '../../core/errors.ts'
import { networkError } from '../network-error.ts'
import type { S3Place } from './s3-place.ts'
import type { S3Settings } from './s3-settings.ts'

/** What is said of an answer: a message that follows the place and a colon, and what to do. */
type Telling = { code?: 'NOT_FOUND' | 'NO_PERMISSION'; message: string; hint: string }

const CREDENTIALS =
  'Give credentials in one of the ways that the AWS tools read: a profile (`varve remote set NAME profile P`, or AWS_PROFILE), `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
const NEW_TOKEN = 'Log in again (`aws sso login`), or get a new session token.'

const TELLINGS: Readonly<Record<string, Telling>> = {
  CredentialsProviderError: { message: 'no credentials were found', hint: CREDENTIALS },
  InvalidAccessKeyId: { message: 'the access key is not known there', hint: CREDENTIALS },
  SignatureDoesNotMatch: {
    message: 'the secret key does not belong to the access key (or not to this place)',
    hint: CREDENTIALS,
  },
  InvalidToken: { message: 'the session token is not valid there', hint: NEW_TOKEN },
  InvalidTokenId: { message: 'the session token is not valid there', hint: NEW_TOKEN },
  InvalidClientTokenId: { message: 'the access key is not known there', hint: CREDENTIALS },
  ExpiredToken: { message: 'the session token has expired', hint: NEW_TOKEN },
  ExpiredTokenException: { message: 'the session token has expired', hint: NEW_TOKEN },
  TokenRefreshRequired: { message: 'the session token has expired', hint: NEW_TOKEN },
  RequestTimeTooSkewed: {
    message: "this machine's clock differs too much from the server's",
    hint: 'Set the clock (for example `timedatectl set-ntp true`), and run the command again.',
  },
  NoSuchBucket: {
    code: 'NOT_FOUND',
    message: 'there is no such bucket',
    hint: 'Check the name with `varve remote list`; make the bucket if it is new.',
  },
  AuthorizationHeaderMalformed: {
    message: 'the bucket is in another region than the one that was asked',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`.",
  },
  PermanentRedirect: {
    message: 'the bucket is in another region, or under another endpoint',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`, and endpointUrl where it is not Amazon's.",
  },
  IllegalLocationConstraintException: {
    message: 'the bucket is in another region than the one that was asked',
    hint: "Set the bucket's own: `varve remote set NAME region REGION`.",
  },
  InvalidStorageClass: {
    message: 'the service has no such storage class',
    hint: 'Take it out: `varve remote set NAME storageClass`.',
  },
  InvalidObjectState: {
    message: 'the object is archived, and must be restored before it can be read',
    hint: 'Restore it with the tools of the provider, then run the command again.',
  },
  QuotaExceeded: { message: 'the quota is used up', hint: 'Ask whoever runs the service for more space.' },
  XMinioStorageFull: { message: 'the server has no space left', hint: 'Make space there, and push again.' },
}

/** Names of answers that ask for fewer requests, beside the status codes 429 and 503. */
const BUSY = /^(SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|BandwidthLimit)/
/** Of answers below 500 that are no fault of the request. */
const RETRYABLE = /^(RequestTimeout|TimeoutError|OperationAborted|ConditionalRequestConflict|IncompleteBody)/

/** Turns what the SDK throws into Varve's words. No message of it repeats a credential. */
export function s3Error(
  error: unknown,
  { what, place, settings }: { what: string; place: S3Place; settings: S3Settings },
): unknown {
  if (error instanceof VarveError || !(error instanceof Error)) return error
  const where = settings.endpointUrl === undefined ? place.url : `${place.url} (at ${settings.endpointUrl})`
  const status = statusOf(error)
  const said = TELLINGS[error.name]
  if (said !== undefined) {
    return new VarveError(said.code ?? 'REMOTE_FAILED', `${where}: ${said.message}`, {
      hint: said.hint,
      cause: error,
    })
  }
  if (status === 404) return new VarveError('NOT_FOUND', `${where}: not there, ${what}`, { cause: error })
  if (BUSY.test(error.name) || status === 429 || status === 503) {
    return new VarveError('REMOTE_BUSY', `${where} asks for fewer requests, while ${what}`, {
      hint: 'Run the command again later, or with a lower --jobs: it goes on where it was.',
      retryable: true,
      cause: error,
    })
  }
  if (
    isNamed(error, 'AccessDenied') ||
    isNamed(error, 'AllAccessDisabled') ||
    status === 403 ||
    status === 401
  ) {
    return new VarveError('NO_PERMISSION', `${where}: not allowed, ${what}`, {
      hint: 'Ask the owner of the bucket for s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket below that prefix, or use another profile.',
      cause: error,
    })
  }
  if (/^Region is missing/.test(error.message)) {
    return new VarveError('BAD_CONFIG', `${where}: no region is set`, {
      hint: 'Set it with `varve remote set NAME region REGION`, or AWS_REGION.',
      cause: error,
    })
  }
  if (/^(Could not load|Could not resolve|The SSO session|Token is expired|Profile )/.test(error.message)) {
    return new VarveError('REMOTE_FAILED', `${where}: no credentials were found`, {
      hint: CREDENTIALS,
      cause: error,
    })
  }
  if (/^Checksum mismatch/.test(error.message)) {
    return new VarveError('REMOTE_FAILED', `${where}: the bytes arrived damaged, ${what}`, {
      hint: 'Run the command again: nothing damaged was kept.',
      retryable: true,
      cause: error,
    })
  }
  const network = networkError(error, where, what)
  if (network !== undefined) return network
  const isServersFault = (status !== undefined && status >= 500) || RETRYABLE.test(error.name)
  if (status === undefined && !isServersFault) {
    // Neither an answer nor the network: a response that breaks off, or a bug that the cause shows.
    if (!/aborted|socket|timed? ?out|hang up|terminated|Deserialization/i.test(error.message)) return error
  }
  const answer = status === undefined ? error.message : `${status} ${error.name}`
  return new VarveError('REMOTE_FAILED', `${where} answers ${answer}, ${what}`, {
    hint: isServersFault
      ? 'Run the command again later: it goes on where it was.'
      : `\`varve remote test\` shows what the service cannot do. It says: ${oneLine(error.message)}`,
    retryable: isServersFault || status === undefined,
    cause: error,
  })
}

export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}

export function isStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status
}

/** There is a value under the key already. */
export function isPreconditionFailed(error: unknown): boolean {
  return isStatus(error, 412)
}

/** The service does not know conditional writes. */
export function isUnsupportedCondition(error: unknown): boolean {
  return isStatus(error, 501) || isNamed(error, 'NotImplemented')
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}
