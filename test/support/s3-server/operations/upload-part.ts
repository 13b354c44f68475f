import { checksumHeaders } from '../checksums.ts'
import { findUpload } from '../find-upload.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { S3Failure } from '../s3-failure.ts'
import { readCount } from '../s3-request.ts'
import { encryptionHeaders } from '../stored-headers.ts'

const MOST_PARTS = 10_000

export const uploadPart: Operation = async (call) => {
  const { request, settings } = call
  const bucket = bucketOf(call)
  const number = readCount('partNumber', request.query.get('partNumber') ?? '')
  if (number < 1 || number > MOST_PARTS) {
    throw new S3Failure(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
    )
  }
  findUpload(call, bucket)
  const { bytes, md5, checksum } = await call.receive()
  try {
    // Asked again: it may have ended meanwhile.
    const upload = findUpload(call, bucket)
    if (upload.checksum !== undefined && upload.checksum.algorithm !== checksum?.algorithm) {
      const [expected, actual] = [upload.checksum.algorithm, checksum?.algorithm ?? 'null']
      throw new S3Failure(
        'InvalidRequest',
        `Checksum Type mismatch occurred, expected checksum Type: ${expected}, actual checksum Type: ${actual}`,
      )
    }
    const etag = `"${md5.toString('hex')}"`
    upload.parts.get(number)?.bytes.drop()
    upload.parts.set(number, { bytes, md5, etag, checksum, modifiedAt: settings.now() })
    const { 'x-amz-checksum-type': _, ...checksums } = checksumHeaders(checksum)
    return { headers: { etag, ...checksums, ...encryptionHeaders(upload.headers) } }
  } catch (error) {
    bytes.drop()
    throw error
  }
}
