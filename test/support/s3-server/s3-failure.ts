/** The answers of S3 that say no: status, and the message where a thrower has nothing better to say. */
const FAILURES = {
  AccessDenied: [403, 'Access Denied'],
  AuthorizationHeaderMalformed: [400, 'The authorization header is malformed.'],
  BadDigest: [400, 'The digest that you specified did not match the calculated one.'],
  BucketAlreadyOwnedByYou: [409, 'Your previous request to create the named bucket succeeded.'],
  EntityTooLarge: [400, 'Your proposed upload exceeds the maximum allowed object size.'],
  EntityTooSmall: [400, 'Your proposed upload is smaller than the minimum allowed size.'],
  ExpiredToken: [400, 'The provided token has expired.'],
  IllegalLocationConstraintException: [400, 'The location constraint is incompatible with this endpoint.'],
  IncompleteBody: [400, 'The request body does not have the length that its headers state.'],
  InvalidAccessKeyId: [403, 'The access key id that you provided does not exist in our records.'],
  InvalidArgument: [400, 'Invalid argument.'],
  InvalidBucketName: [400, 'The specified bucket is not valid.'],
  InvalidChunkSizeError: [403, 'Only the last chunk is allowed to have a size less than 8192 bytes.'],
  InvalidDigest: [400, 'The Content-MD5 that you specified was invalid.'],
  InvalidPart: [
    400,
    'One or more of the specified parts could not be found, or its ETag or checksum differs.',
  ],
  InvalidPartOrder: [400, 'The list of parts was not in ascending order.'],
  InvalidRange: [416, 'The requested range is not satisfiable.'],
  InvalidRequest: [400, 'Invalid request.'],
  InvalidStorageClass: [400, 'The storage class that you specified is not valid.'],
  InvalidToken: [400, 'The provided token is malformed or otherwise invalid.'],
  InvalidURI: [400, "Couldn't parse the specified URI."],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  KeyTooLongError: [400, 'Your key is too long.'],
  MalformedTrailerError: [400, 'The request contained trailing data that was not well-formed.'],
  MalformedXML: [400, 'The XML that you provided was not well-formed.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist.'],
  NoSuchKey: [404, 'The specified key does not exist.'],
  NoSuchUpload: [404, 'The specified multipart upload does not exist.'],
  NotImplemented: [
    501,
    'A header or parameter that you provided implies functionality that is not implemented.',
  ],
  NotModified: [304, 'Not modified.'],
  PermanentRedirect: [301, 'The bucket must be addressed by the endpoint of its own region.'],
  PreconditionFailed: [412, 'At least one of the preconditions that you specified did not hold.'],
  RequestTimeTooSkewed: [403, "The difference between the request time and the server's time is too large."],
  SignatureDoesNotMatch: [
    403,
    'The request signature we calculated does not match the signature you provided.',
  ],
  XAmzContentSHA256Mismatch: [400, "The provided 'x-amz-content-sha256' does not match what was computed."],
} as const satisfies Record<string, readonly [status: number, message: string]>

export type FailureCode = keyof typeof FAILURES

/** A request that S3 refuses. `details` become elements of the XML of the answer. */
export class S3Failure extends Error {
  readonly code: FailureCode
  readonly status: number
  readonly details: Readonly<Record<string, string>>

  constructor(code: FailureCode, message?: string, details: Readonly<Record<string, string>> = {}) {
    super(message ?? FAILURES[code][1])
    this.name = 'S3Failure'
    this.code = code
    this.status = FAILURES[code][0]
    this.details = details
  }
}
