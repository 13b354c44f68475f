import { VarveError } from '../../core/errors.ts'
import { networkError, unanswered } from '../network-error.ts'
import type { S3Place } from './s3-place.ts'
import type { S3Settings } from './s3-settings.ts'

/** What is said of an answer: a message that follows the place and a colon, and what to do. */
type Telling = { message: string; hint: string; isOfOneKey?: true }

const CREDENTIALS =
  'Give credentials in one of the ways that the AWS tools read: a profile (`varve remote set NAME profile P`, or AWS_PROFILE), `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
const NEW_TOKEN = 'Log in again (`aws sso login`), or get a new session token.'

const TELLINGS: Readonly<Record<string, Telling>> = {
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
  // Not NOT_FOUND, which says that the place is there and lacks a value.
  NoSuchBucket: {
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
    hint: 'Take it out: `varve remote set NAME storageClass --unset`.',
  },
  InvalidObjectState: {
    message: 'the object is archived, and must be restored before it can be read',
    hint: 'Restore it with the tools of the provider, then run the command again.',
    isOfOneKey: true,
  },
  QuotaExceeded: { message: 'the quota is used up', hint: 'Ask whoever runs the service for more space.' },
  XMinioStorageFull: { message: 'the server has no space left', hint: 'Make space there, and push again.' },
}

/** Names of answers that ask for fewer requests, beside the status codes 429 and 503. */
const BUSY = /^(SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|BandwidthLimit)/
/** Of answers below 500 that are no fault of the request. */
const RETRYABLE = /^(RequestTimeout|TimeoutError|OperationAborted|ConditionalRequestConflict|NoSuchUpload)/
/** What was sent is not what arrived. */
const DAMAGED = /^(BadDigest|IncompleteBody|XAmzContent(SHA256|Checksum)Mismatch)$/
const OUTDATED_LOGIN = /expired|sso (session|login)/i

type Context = { what: string; place: S3Place; settings: S3Settings }

/** Turns what the SDK throws into Varve's words. No message of it repeats a credential. */
export function s3Error(error: unknown, context: Context): unknown {
  if (error instanceof VarveError || !(error instanceof Error)) return error
  const { what, place, settings } = context
  const where = settings.endpointUrl === undefined ? place.url : `${place.url} (at ${settings.endpointUrl})`
  return (
    errorBeforeSending(error, where, settings) ??
    errorAnswered(error, where, what) ??
    errorOnTheWay(error, where, what) ??
    otherError(error, where, what)
  )
}

/** Of the configuration of the SDK and of the credentials. */
function errorBeforeSending(error: Error, where: string, settings: S3Settings): VarveError | undefined {
  const cause = withoutRequest(error)
  if (/^Region is missing/.test(error.message)) {
    return new VarveError('BAD_CONFIG', `${where}: no region is set`, {
      hint: 'Set it with `varve remote set NAME region REGION`, or AWS_REGION.',
      cause,
    })
  }
  if (/^(CredentialsProviderError|TokenProviderError|InstanceMetadataV1FallbackError)$/.test(error.name)) {
    const ofProfile = settings.profile === undefined ? '' : ` for the profile ${settings.profile}`
    return OUTDATED_LOGIN.test(error.message)
      ? new VarveError('REMOTE_FAILED', `${where}: the login${ofProfile} has expired`, {
          hint: NEW_TOKEN,
          cause,
        })
      : new VarveError('REMOTE_FAILED', `${where}: no credentials were found${ofProfile}`, {
          hint: CREDENTIALS,
          cause,
        })
  }
  if ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_CHAR') {
    return new VarveError(
      'REMOTE_FAILED',
      `${where}: the credentials hold a character that cannot be sent, such as a line end`,
      {
        hint: 'Set them again; environment variables and ~/.aws/credentials take them without quotes.',
        cause,
      },
    )
  }
  return undefined
}

/** Of what the service says by name or by status. */
function errorAnswered(error: Error, where: string, what: string): VarveError | undefined {
  const cause = withoutRequest(error)
  const said = TELLINGS[error.name]
  if (said !== undefined) {
    const message = `${where}: ${said.message}${said.isOfOneKey ? `, ${what}` : ''}`
    return new VarveError('REMOTE_FAILED', message, {
      hint: said.hint.replace('REGION', regionIn(error) ?? 'REGION'),
      cause,
    })
  }
  const status = statusOf(error)
  if (status === 404 && !RETRYABLE.test(error.name)) {
    return new VarveError('NOT_FOUND', `${where}: not there, ${what}`, { cause })
  }
  if (BUSY.test(error.name) || status === 429 || status === 503) {
    return new VarveError('REMOTE_BUSY', `${where} asks for fewer requests, while ${what}`, {
      hint: 'Run the command again later, or with a lower --jobs: it goes on where it was.',
      retryable: true,
      cause,
    })
  }
  const isRefused = isNamed(error, 'AccessDenied') || isNamed(error, 'AllAccessDisabled')
  if (isRefused || status === 403 || status === 401) {
    return new VarveError('NO_PERMISSION', `${where}: not allowed, ${what}`, {
      hint: 'Ask the owner of the bucket for s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket below that prefix, or use another profile.',
      cause,
    })
  }
  return undefined
}

function errorOnTheWay(error: Error, where: string, what: string): VarveError | undefined {
  const cause = withoutRequest(error)
  if (/^Checksum mismatch/.test(error.message)) {
    return new VarveError('CORRUPT', `${where}: the bytes arrived damaged, ${what}`, {
      hint: 'Run the command again: nothing damaged was kept.',
      retryable: true,
      cause,
    })
  }
  if (/did not establish a connection/.test(error.message)) return unanswered({ where, doing: what, cause })
  if (/socket timed out/.test(error.message)) {
    return new VarveError('REMOTE_FAILED', `${where}: nothing has moved for long while ${what}`, {
      hint: 'Check the network, and run the command again: it goes on where it was.',
      retryable: true,
      cause,
    })
  }
  return networkError(error, where, what)
}

function otherError(error: Error, where: string, what: string): Error {
  const cause = withoutRequest(error)
  const status = statusOf(error)
  const isServersFault =
    (status !== undefined && status >= 500 && status !== 501) ||
    RETRYABLE.test(error.name) ||
    DAMAGED.test(error.name)
  if (status === undefined && !isServersFault) {
    // Neither an answer nor the network: a response that breaks off, or a bug that the cause shows.
    if (!/aborted|socket|timed? ?out|hang up|terminated|Deserialization/i.test(error.message)) return error
  }
  const answer = oneLine(status === undefined ? error.message : `${status} ${error.name}`)
  return new VarveError('REMOTE_FAILED', `${where} answers ${answer}, ${what}`, {
    hint: isServersFault
      ? 'Run the command again later: it goes on where it was.'
      : `\`varve remote test\` shows what the service cannot do. It says: ${oneLine(error.message)}`,
    retryable: isServersFault || status === undefined,
    cause,
  })
}

/**
 * As a cause, for whoever logs it. An answer to a wrong signature repeats the whole request that was signed, with the
 * session token in it, and the SDK makes that a property of the error.
 */
function withoutRequest(error: Error): Error {
  const cause = new Error(error.message)
  const { name, stack } = error
  return Object.assign(cause, { name, stack })
}

/** The bucket's own, where the service tells it. */
function regionIn(error: Error): string | undefined {
  const { Region } = error as { Region?: unknown }
  return typeof Region === 'string' && /^[a-z0-9-]{1,40}$/.test(Region) ? Region : undefined
}

/** The answer to a HEAD has no body, which would say why; nor has an empty one. */
export function isUnexplained(error: unknown): boolean {
  const status = statusOf(error) ?? 0
  return status >= 300 && status < 500 && (isNamed(error, 'Unknown') || isNamed(error, 'UnknownError'))
}

export function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}

export function isStatus(error: unknown, status: number): boolean {
  return statusOf(error) === status
}

/** The SDK found its clock wrong by this answer, and signs by the server's from then on. */
export function wasSkewed(error: unknown): error is Error {
  const { $metadata } = error as { $metadata?: { clockSkewCorrected?: boolean } }
  return $metadata?.clockSkewCorrected === true
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
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** Whether the service refused a body because it was damaged on its way: which the SDK does not try again. */
export function isDamagedOnTheWay(error: unknown): boolean {
  return error instanceof Error && DAMAGED.test(error.name)
}
