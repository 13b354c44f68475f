import type { Bucket, StoredObject } from '../bucket.ts'
import { checksumHeaders } from '../checksums.ts'
import { type Answer, bucketOf, type Call, type Operation } from '../operation.ts'
import { S3Failure } from '../s3-failure.ts'
import { replayHeaders } from '../stored-headers.ts'
import { unquote } from '../write-conditions.ts'

/** Answers HEAD as well: the server leaves the body out. */
export const getObject: Operation = (call) => {
  const { request } = call
  const object = objectOf(call, bucketOf(call))
  checkReadConditions(request.headers, object)
  const { sizeBytes } = object.bytes
  const range = readRange(request.headers.get('range'), sizeBytes)
  const { start, endExclusive } = range ?? { start: 0, endExclusive: sizeBytes }
  // The checksum is of the whole.
  const isChecksumAsked = range === undefined && request.headers.get('x-amz-checksum-mode') === 'ENABLED'
  const answer: Answer = {
    status: range === undefined ? 200 : 206,
    headers: {
      etag: object.etag,
      'last-modified': object.modifiedAt.toUTCString(),
      'accept-ranges': 'bytes',
      'content-range': range && `bytes ${start}-${endExclusive - 1}/${sizeBytes}`,
      ...replayHeaders(object.headers),
      ...checksumHeaders(isChecksumAsked ? object.checksum : undefined),
    },
    body: { sizeBytes: endExclusive - start, bytes: object.bytes.read(start, endExclusive) },
  }
  return answer
}

/** Who may not list does not learn that a key is missing. */
function objectOf({ request, denied }: Call, bucket: Bucket): StoredObject {
  const object = bucket.objects.get(request.key)
  if (object !== undefined) return object
  if (denied.has('ListObjectsV2')) throw new S3Failure('AccessDenied')
  throw new S3Failure('NoSuchKey', undefined, { Key: request.key })
}

function checkReadConditions(headers: ReadonlyMap<string, string>, { etag }: StoredObject): void {
  const matches = (condition: string) =>
    condition.split(',').some((text) => text.trim() === '*' || unquote(text) === unquote(etag))
  const ifMatch = headers.get('if-match')
  const ifNoneMatch = headers.get('if-none-match')
  if (ifMatch !== undefined && !matches(ifMatch)) {
    throw new S3Failure('PreconditionFailed', undefined, { Condition: 'If-Match' })
  }
  if (ifNoneMatch !== undefined && matches(ifNoneMatch)) throw new S3Failure('NotModified')
}

/** Of a header that is no range of bytes: none, which gives the whole object. */
function readRange(
  header: string | undefined,
  sizeBytes: number,
): { start: number; endExclusive: number } | undefined {
  if (header === undefined) return undefined
  if (header.includes(',')) throw new S3Failure('NotImplemented', 'several ranges in one request')
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim())
  if (match === null) return undefined
  const [first, last] = [match[1]!, match[2]!]
  if (first === '' && last === '') return undefined
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first)
  const endExclusive = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (start >= sizeBytes) {
    throw new S3Failure('InvalidRange', undefined, {
      RangeRequested: header,
      ActualObjectSize: String(sizeBytes),
    })
  }
  return { start, endExclusive }
}
