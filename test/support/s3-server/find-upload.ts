import type { Bucket, Upload } from './bucket.ts'
import type { Call } from './operation.ts'
import { S3Failure } from './s3-failure.ts'

/** The upload in parts that a request names, of the key that it names. @throws S3Failure NoSuchUpload */
export function findUpload({ request }: Call, bucket: Bucket): Upload {
  const id = request.query.get('uploadId') ?? ''
  const upload = bucket.uploads.get(id)
  if (upload?.key !== request.key) throw new S3Failure('NoSuchUpload', undefined, { UploadId: id })
  return upload
}
