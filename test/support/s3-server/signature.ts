import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { S3Failure } from './s3-failure.ts'
import { readQuery, type S3Request } from './s3-request.ts'

export type S3Credentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }

export type SignatureRules = {
  credentials: S3Credentials
  /** A session token that was good once. */
  expiredSessionToken?: string
  region: string
  now: () => Date
}

/** A signature that was found good, to which those of the chunks of a body are linked. */
export type Signature = {
  /** 64 hex digits. */
  value: string
  scope: string
  amzDate: string
  sign(text: string): string
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
const MOST_SKEW_MS = 15 * 60 * 1000
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]*)\/([^/,\s]*)\/([^/,\s]*), *SignedHeaders=([a-z0-9;._-]+), *Signature=([0-9a-f]{64})$/

/**
 * Verifies the Authorization header by AWS Signature Version 4, as
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html defines it.
 */
export function verifySignature(request: S3Request, rules: SignatureRules): Signature {
  const { headers } = request
  const authorization = headers.get('authorization')
  if (authorization === undefined) throw new S3Failure('AccessDenied')
  const parts = AUTHORIZATION.exec(authorization)
  if (parts === null) throw new S3Failure('AuthorizationHeaderMalformed')
  const [, accessKeyId = '', day = '', region = '', service = '', end = '', names = '', claimed = ''] = parts
  if (accessKeyId !== rules.credentials.accessKeyId) throw new S3Failure('InvalidAccessKeyId')
  checkToken(headers.get('x-amz-security-token'), rules)
  if (region !== rules.region) {
    throw new S3Failure(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${rules.region}'`,
      { Region: rules.region },
    )
  }
  if (service !== 's3' || end !== 'aws4_request') throw new S3Failure('AuthorizationHeaderMalformed')
  const amzDate = headers.get('x-amz-date') ?? ''
  checkDate(amzDate, rules.now())
  if (!amzDate.startsWith(day)) throw new S3Failure('AuthorizationHeaderMalformed', 'the dates differ')
  checkSignedNames(request, names.split(';'))

  const scope = `${day}/${region}/${service}/${end}`
  const signingKey = [day, region, service, end].reduce<Buffer | string>(
    (key, text) => hmac(key, text),
    `AWS4${rules.credentials.secretAccessKey}`,
  )
  const sign = (text: string) => hmac(signingKey, text).toString('hex')
  const canonical = canonicalRequest(request, names)
  const value = sign([ALGORITHM, amzDate, scope, sha256Hex(canonical)].join('\n'))
  if (!timingSafeEqual(Buffer.from(value), Buffer.from(claimed))) {
    throw new S3Failure('SignatureDoesNotMatch', undefined, { CanonicalRequest: canonical })
  }
  return { value, scope, amzDate, sign }
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

function checkToken(token: string | undefined, { credentials, expiredSessionToken }: SignatureRules): void {
  if (token === credentials.sessionToken) return
  if (token === undefined) throw new S3Failure('InvalidAccessKeyId')
  throw new S3Failure(token === expiredSessionToken ? 'ExpiredToken' : 'InvalidToken')
}

function checkDate(amzDate: string, now: Date): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate)
  if (match === null) {
    throw new S3Failure('AccessDenied', 'AWS authentication requires a valid x-amz-date header')
  }
  const [, year, month, day, hour, minute, second] = match
  const sentAt = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Math.abs(sentAt - now.getTime()) <= MOST_SKEW_MS) return
  throw new S3Failure('RequestTimeTooSkewed', undefined, {
    RequestTime: amzDate,
    ServerTime: now.toISOString(),
    MaxAllowedSkewMilliseconds: String(MOST_SKEW_MS),
  })
}

/** The host, and all that S3 gives a meaning to, must be signed; what is signed must be there. */
function checkSignedNames({ headers }: S3Request, names: readonly string[]): void {
  const mustBe = ['host', ...[...headers.keys()].filter((name) => name.startsWith('x-amz-'))]
  const unsigned = mustBe.filter((name) => !names.includes(name))
  if (unsigned.length > 0) {
    throw new S3Failure('AccessDenied', 'There were headers present in the request which were not signed', {
      HeadersNotSigned: unsigned.join(', '),
    })
  }
  const isSorted = names.every((name, i) => i === 0 || names[i - 1]! < name)
  if (!isSorted || names.some((name) => !headers.has(name))) throw new S3Failure('SignatureDoesNotMatch')
}

function canonicalRequest({ method, rawPath, rawQuery, headers }: S3Request, names: string): string {
  const path = rawPath.split('/').map((part) => encodeStrictly(decodeURIComponent(part)))
  const query = readQuery(rawQuery)
    .map(([name, value]): [string, string] => [encodeStrictly(name), encodeStrictly(value)])
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map((pair) => pair.join('='))
  const lines = names.split(';').map((name) => `${name}:${headers.get(name)!.trim().replace(/ +/g, ' ')}\n`)
  const payload = headers.get('x-amz-content-sha256') ?? ''
  return [method, path.join('/'), query.join('&'), lines.join(''), names, payload].join('\n')
}

/** All but the unreserved characters of RFC 3986. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
