import { findUpload } from '../find-upload.ts'
import { bucketOf, type Operation } from '../operation.ts'

export const abortMultipartUpload: Operation = (call) => {
  const bucket = bucketOf(call)
  const upload = findUpload(call, bucket)
  bucket.uploads.delete(upload.id)
  for (const { bytes } of upload.parts.values()) bytes.drop()
  return { status: 204 }
}
