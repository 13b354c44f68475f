import { checksumHeaders } from '../checksums.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { encryptionHeaders, readStoredHeaders } from '../stored-headers.ts'
import { checkWriteConditions } from '../write-conditions.ts'

export const putObject: Operation = async (call) => {
  const { request, settings } = call
  const bucket = bucketOf(call)
  checkWriteConditions(call, bucket, 'first')
  const { bytes, md5, checksum } = await call.receive()
  try {
    checkWriteConditions(call, bucket, 'last')
  } catch (error) {
    bytes.drop()
    throw error
  }
  const etag = `"${md5.toString('hex')}"`
  const headers = readStoredHeaders(request.headers)
  bucket.objects.set(request.key, { bytes, etag, modifiedAt: settings.now(), checksum, headers })
  return { headers: { etag, ...checksumHeaders(checksum), ...encryptionHeaders(headers) } }
}
