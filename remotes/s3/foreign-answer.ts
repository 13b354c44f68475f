import { VarveError } from '../../core/errors.ts'
import type { S3Settings } from './s3-settings.ts'
import { statusOf } from './status-of.ts'

/**
 * Whether something else than an S3 service answers, such as a web server: neither S3's words are in the body nor its
 * headers beside it. What may pass is left out: a gateway before the service answers so too while that is away.
 */
export function isForeignAnswer(error: unknown): boolean {
  if (!isWordless(error)) return false
  const status = statusOf(error) ?? 0
  const isHtml = headersOf(error).some(
    ([name, value]) => /^content-type$/i.test(name) && /\bhtml\b/i.test(value),
  )
  return isHtml || PARSE_FAILURE.test(error.message) || (status >= 300 && status < 400)
}

/** The same of a listing: of a single value, an empty 404 may say that it is not there; not of a bucket. */
export function isForeignListing(error: unknown): error is Error {
  return isWordless(error) && (statusOf(error) === 404 || isForeignAnswer(error))
}

const PARSE_FAILURE = /^@aws-sdk XML parse error/

function isWordless(error: unknown): error is Error {
  const status = statusOf(error)
  if (!(error instanceof Error) || status === undefined || status === 429 || status >= 500) return false
  if (headersOf(error).some(([name]) => /^x-amz-/i.test(name))) return false
  return error.message === 'UnknownError' || PARSE_FAILURE.test(error.message)
}

function headersOf(error: Error): [string, string][] {
  return Object.entries(
    (error as { $response?: { headers?: Record<string, string> } }).$response?.headers ?? {},
  )
}

export function foreignAnswer(answer: {
  where: string
  what: string
  settings: S3Settings
  status?: number | undefined
  cause?: unknown
}): VarveError {
  const { where, what, settings, status, cause } = answer
  const by = status === undefined ? '' : ` (status ${status})`
  return new VarveError('REMOTE_FAILED', `${where} does not answer like an S3 service${by}, ${what}`, {
    hint:
      settings.endpointUrl === undefined
        ? 'Check the network: a proxy, or the login page of a network, may be answering.'
        : 'Check endpointUrl: `varve remote list -v`.',
    cause,
  })
}
