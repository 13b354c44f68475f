import type { ReceivedBody } from './body.ts'
import type { Bucket } from './bucket.ts'
import { S3Failure } from './s3-failure.ts'
import type { S3Request } from './s3-request.ts'
import { collectBytes } from './stored-bytes.ts'

/** One thing that can be asked of the server, when the request is known to be well-formed, signed and permitted. */
export type Operation = (call: Call) => Answer | Promise<Answer>

export type Call = {
  request: S3Request
  buckets: Map<string, Bucket>
  settings: OperationSettings
  /** The names of operations that the user has no right to. */
  denied: ReadonlySet<string>
  /** Reads and verifies the body; once. */
  receive(): Promise<ReceivedBody>
}

export type OperationSettings = {
  region: string
  now: () => Date
  /** The most keys, parts or uploads in one page. */
  pageSize: number
  minPartBytes: number
  /**
   * What `If-None-Match` and `If-Match` do on writes: hold; hold only against what was there when the request began, so
   * that several at once may win; are refused with 501; are passed over without a word.
   */
  conditionalWrites: 'atomic' | 'racy' | 'unsupported' | 'none'
}

export type Answer = {
  status?: number
  headers?: Readonly<Record<string, string | undefined>>
  body?: string | { sizeBytes: number; bytes: AsyncIterable<Buffer> }
}

const MOST_XML_BYTES = 4 << 20

/** @throws S3Failure NoSuchBucket */
export function bucketOf({ request, buckets }: Call): Bucket {
  const bucket = buckets.get(request.bucket)
  if (bucket === undefined) throw new S3Failure('NoSuchBucket', undefined, { BucketName: request.bucket })
  return bucket
}

/** A body of XML, as text. */
export async function receiveText(call: Call): Promise<{ text: string; hasDigest: boolean }> {
  const { bytes, hasDigest } = await call.receive()
  try {
    if (bytes.sizeBytes > MOST_XML_BYTES) throw new S3Failure('MalformedXML')
    return { text: (await collectBytes(bytes)).toString(), hasDigest }
  } finally {
    bytes.drop()
  }
}
