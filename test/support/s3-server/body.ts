import { createHash } from 'node:crypto'
import type { ByteSpool } from './byte-spool.ts'
import {
  CHECKSUM_ALGORITHMS,
  type Checksum,
  type ChecksumAlgorithm,
  checksumHeader,
  createChecksummer,
} from './checksums.ts'
import { readChunkedBody } from './chunked-body.ts'
import { S3Failure } from './s3-failure.ts'
import { readCount, type S3Request } from './s3-request.ts'
import type { Signature } from './signature.ts'
import type { StoredBytes } from './stored-bytes.ts'

/** A body that arrived whole, with every digest that came with it found good. */
export type ReceivedBody = {
  bytes: StoredBytes
  md5: Buffer
  /** What the client sent, in a header or behind the body. */
  checksum: Checksum | undefined
  /** Whether a Content-MD5 or a checksum came with it. */
  hasDigest: boolean
}

const MOST_BODY_BYTES = 5 * 1024 ** 3

/** Reads the body of a request into `spool`. Nothing stays there where this throws. */
export async function receiveBody(
  request: S3Request,
  { spool, signature }: { spool: ByteSpool; signature: Signature },
): Promise<ReceivedBody> {
  const { headers } = request
  const coding = readCoding(request)
  const declared = readDeclaredChecksum(headers)
  const claimedMd5 = readContentMd5(headers.get('content-md5'))
  const lengthHeader = coding.isChunked ? 'x-amz-decoded-content-length' : 'content-length'
  const statedBytes = readCount(lengthHeader, headers.get(lengthHeader) ?? '0')
  if (statedBytes > MOST_BODY_BYTES) throw new S3Failure('EntityTooLarge')

  let claimed = declared?.value
  // The socket must stay open, whatever is wrong with the body: the answer goes out on it.
  const raw: AsyncIterable<Buffer> = request.message.iterator({ destroyOnReturn: false })
  const body = coding.isChunked
    ? readChunkedBody({
        body: raw,
        signature: coding.isSigned ? signature : undefined,
        trailer: coding.hasTrailer ? headers.get('x-amz-trailer') : undefined,
        onTrailer: (value) => {
          claimed = value
        },
      })
    : raw
  const md5 = createHash('md5')
  const sha256 = coding.sha256 === undefined ? undefined : createHash('sha256')
  const checksummer = declared && (await createChecksummer(declared.algorithm))
  const writer = spool.createWriter()
  let sizeBytes = 0
  try {
    for await (const piece of body) {
      md5.update(piece)
      sha256?.update(piece)
      checksummer?.update(piece)
      sizeBytes += piece.length
      if (sizeBytes > statedBytes) throw new S3Failure('IncompleteBody')
      await writer.append(piece)
    }
    if (sizeBytes !== statedBytes) throw new S3Failure('IncompleteBody')
    if (sha256 !== undefined && sha256.digest('hex') !== coding.sha256) {
      throw new S3Failure('XAmzContentSHA256Mismatch')
    }
    const md5Digest = md5.digest()
    if (claimedMd5 !== undefined && !claimedMd5.equals(md5Digest)) {
      throw new S3Failure('BadDigest', 'The Content-MD5 you specified did not match what we received.')
    }
    const checksum = checkDeclared(declared?.algorithm, claimed, checksummer?.digest())
    const hasDigest = claimedMd5 !== undefined || checksum !== undefined
    return { bytes: await writer.finish(), md5: md5Digest, checksum, hasDigest }
  } finally {
    await writer.discard()
  }
}

type Coding = { isChunked: boolean; isSigned: boolean; hasTrailer: boolean; sha256?: string }

/** How the body is sent, by `x-amz-content-sha256`, and whether the other headers agree with it. */
function readCoding({ headers, method }: S3Request): Coding {
  const payload = headers.get('x-amz-content-sha256')
  if (payload === undefined) {
    throw new S3Failure('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  const isChunked = payload.startsWith('STREAMING-')
  const codings = (headers.get('content-encoding') ?? '').split(',').map((coding) => coding.trim())
  if (codings.includes('aws-chunked') !== isChunked) {
    throw new S3Failure('InvalidRequest', 'Content-Encoding and x-amz-content-sha256 contradict each other')
  }
  const lengthHeader = isChunked ? 'x-amz-decoded-content-length' : 'content-length'
  const mayHaveBody = method === 'PUT' || method === 'POST'
  if (!headers.has(lengthHeader) && (mayHaveBody || headers.has('transfer-encoding'))) {
    throw new S3Failure('MissingContentLength')
  }
  const hasTrailer = payload.endsWith('-TRAILER')
  if (hasTrailer !== headers.has('x-amz-trailer')) {
    throw new S3Failure('InvalidRequest', 'x-amz-trailer and x-amz-content-sha256 contradict each other')
  }
  if (/^[0-9a-f]{64}$/.test(payload)) return { isChunked, isSigned: false, hasTrailer, sha256: payload }
  switch (payload) {
    case 'UNSIGNED-PAYLOAD':
    case 'STREAMING-UNSIGNED-PAYLOAD-TRAILER':
      return { isChunked, isSigned: false, hasTrailer }
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD':
    case 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER':
      return { isChunked, isSigned: true, hasTrailer }
    default:
      throw new S3Failure('InvalidArgument', 'x-amz-content-sha256 is none of the values that are allowed')
  }
}

/** The one checksum that a request brings or announces; without a value, it follows behind the body. */
function readDeclaredChecksum(
  headers: ReadonlyMap<string, string>,
): { algorithm: ChecksumAlgorithm; value?: string } | undefined {
  const found: { algorithm: ChecksumAlgorithm; value?: string }[] = []
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = headers.get(checksumHeader(algorithm))
    if (value !== undefined) found.push({ algorithm, value })
    if (headers.get('x-amz-trailer') === checksumHeader(algorithm)) found.push({ algorithm })
  }
  if (found.length > 1) {
    throw new S3Failure(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple are not allowed.',
    )
  }
  const trailer = headers.get('x-amz-trailer')
  if (trailer !== undefined && found.length === 0) {
    throw new S3Failure('InvalidRequest', `The value in the x-amz-trailer header is invalid: ${trailer}`)
  }
  const named = headers.get('x-amz-sdk-checksum-algorithm')?.toLowerCase()
  if (named !== undefined && named !== found[0]?.algorithm) {
    throw new S3Failure(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  }
  return found[0]
}

function checkDeclared(
  algorithm: ChecksumAlgorithm | undefined,
  claimed: string | undefined,
  digest: Buffer | undefined,
): Checksum | undefined {
  if (algorithm === undefined || digest === undefined) return undefined
  const value = digest.toString('base64')
  if (Buffer.from(claimed ?? '', 'base64').length !== digest.length) {
    throw new S3Failure('InvalidRequest', `Value for ${checksumHeader(algorithm)} header is invalid.`)
  }
  if (claimed !== value) {
    const name = algorithm.toUpperCase()
    throw new S3Failure('BadDigest', `The ${name} you specified did not match the calculated checksum.`)
  }
  return { algorithm, type: 'FULL_OBJECT', value }
}

function readContentMd5(text: string | undefined): Buffer | undefined {
  if (text === undefined) return undefined
  const digest = Buffer.from(text, 'base64')
  if (digest.length !== 16 || digest.toString('base64') !== text) throw new S3Failure('InvalidDigest')
  return digest
}
