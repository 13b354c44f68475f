import { VarveError } from '../../core/errors.ts'
import { networkError, unanswered } from '../network-error.ts'
import { unusableProfile } from './credential-source.ts'
import { foreignAnswer, isForeignAnswer } from './foreign-answer.ts'
import type { S3Place } from './s3-place.ts'
import type { S3Settings } from './s3-settings.ts'
import { statusOf } from './status-of.ts'
import { GIVE_CREDENTIALS, NEW_TOKEN, TELLINGS } from './tellings.ts'

/** Names of answers that ask for fewer requests, beside the status codes 429 and 503. */
const BUSY = /^(SlowDown|Throttl|TooManyRequests|RequestLimitExceeded|ServiceUnavailable|BandwidthLimit)/
/** Of answers below 500 that are no fault of the request. */
const RETRYABLE = /^(RequestTimeout|TimeoutError|OperationAborted|ConditionalRequestConflict|NoSuchUpload)/
/** What was sent is not what arrived. */
const DAMAGED = /^(BadDigest|IncompleteBody|XAmzContent(SHA256|Checksum)Mismatch)$/
const OUTDATED_LOGIN = /expired|sso (session|login)/i

export type S3ErrorContext = {
  what: string
  place: S3Place
  settings: S3Settings
  /** What the user calls the remote: hints name it. */
  name?: string | undefined
  /** Where the credentials were found. */
  keySource?: string | undefined
}

/** Turns what the SDK throws into Varve's words. No message of it repeats a credential. */
export function s3Error(error: unknown, context: S3ErrorContext): unknown {
  if (error instanceof VarveError || !(error instanceof Error)) return error
  const { what, settings, name } = context
  const where = whereOf(context)
  const told =
    errorBeforeSending(error, where, settings) ??
    errorAnswered(error, where, context) ??
    errorOnTheWay(error, where, context) ??
    otherError(error, where, what)
  return name === undefined ? told : nameInHint(told, name)
}

/** A listing that is none, from something that says yes to all. */
export function noListing(context: S3ErrorContext, error?: Error): VarveError {
  const { what, settings } = context
  const cause = error && withoutRequest(error)
  return foreignAnswer({ where: whereOf(context), what, settings, status: statusOf(error), cause })
}

/** Whether it helps to know where the credentials were found. */
export function isOfCredentials(error: unknown): boolean {
  return error instanceof Error && TELLINGS[error.name]?.isOfCredentials === true
}

function whereOf({ place, settings }: S3ErrorContext): string {
  return settings.endpointUrl === undefined ? place.url : `${place.url} (at ${settings.endpointUrl})`
}

function nameInHint(error: Error, name: string): Error {
  if (!(error instanceof VarveError) || error.hint === undefined) return error
  const { code, message, retryable, cause } = error
  const hint = error.hint.replaceAll('remote set NAME ', `remote set ${name} `)
  return new VarveError(code, message, { hint, retryable, cause })
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
    const { ofProfile, remedy } = unusableProfile(settings)
    return OUTDATED_LOGIN.test(error.message)
      ? new VarveError('REMOTE_FAILED', `${where}: the login${ofProfile} has expired`, {
          hint: NEW_TOKEN,
          cause,
        })
      : new VarveError('REMOTE_FAILED', `${where}: no credentials were found${ofProfile}`, {
          hint: remedy ?? GIVE_CREDENTIALS,
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
function errorAnswered(error: Error, where: string, context: S3ErrorContext): VarveError | undefined {
  const { what, settings, keySource } = context
  const cause = withoutRequest(error)
  const said = TELLINGS[error.name]
  if (said !== undefined) {
    const source = said.isOfCredentials && keySource !== undefined ? `; the keys came from ${keySource}` : ''
    const message = `${where}: ${said.message}${source}${said.isOfOneKey ? `, ${what}` : ''}`
    return new VarveError('REMOTE_FAILED', message, {
      hint: said.hint.replace('REGION', regionIn(error) ?? 'REGION'),
      cause,
    })
  }
  const status = statusOf(error)
  if (isForeignAnswer(error)) return foreignAnswer({ where, what, settings, status, cause })
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

function errorOnTheWay(error: Error, where: string, context: S3ErrorContext): VarveError | undefined {
  const { what, settings } = context
  const cause = withoutRequest(error)
  if (/^Checksum mismatch/.test(error.message)) {
    return new VarveError('CORRUPT', `${where}: the bytes arrived damaged, ${what}`, {
      hint: 'Run the command again: nothing damaged was kept.',
      retryable: true,
      cause,
    })
  }
  if (/socket timed out/.test(error.message)) {
    return new VarveError('REMOTE_FAILED', `${where}: nothing has moved for long while ${what}`, {
      hint: 'Check the network, and run the command again: it goes on where it was.',
      retryable: true,
      cause,
    })
  }
  const failure = /did not establish a connection/.test(error.message)
    ? unanswered({ where, doing: what, cause })
    : networkError(error, where, what)
  if (failure?.code !== 'REMOTE_UNREACHABLE' || settings.endpointUrl !== undefined) return failure
  return new VarveError(failure.code, failure.message, { hint: NOT_AMAZON, retryable: true, cause })
}

const NOT_AMAZON =
  "Check the network; where the service is not Amazon's, run `varve remote set NAME endpointUrl URL`."

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

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line
}

/** Whether the service refused a body because it was damaged on its way: which the SDK does not try again. */
export function isDamagedOnTheWay(error: unknown): boolean {
  return error instanceof Error && DAMAGED.test(error.name)
}
