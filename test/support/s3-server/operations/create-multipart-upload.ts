import type { Upload } from '../bucket.ts'
import { CHECKSUM_ALGORITHMS } from '../checksums.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { S3Failure } from '../s3-failure.ts'
import { encryptionHeaders, readStoredHeaders } from '../stored-headers.ts'
import { writeXml } from '../write-xml.ts'

export const createMultipartUpload: Operation = (call) => {
  const { request, settings } = call
  const bucket = bucketOf(call)
  const id = bucket.nextUploadId()
  const checksum = readChecksum(request.headers)
  const headers = readStoredHeaders(request.headers)
  const initiatedAt = settings.now()
  bucket.uploads.set(id, { id, key: request.key, initiatedAt, checksum, headers, parts: new Map() })
  return {
    headers: {
      ...encryptionHeaders(headers),
      'x-amz-checksum-algorithm': checksum?.algorithm.toUpperCase(),
      'x-amz-checksum-type': checksum?.type,
    },
    body: writeXml('InitiateMultipartUploadResult', {
      Bucket: request.bucket,
      Key: request.key,
      UploadId: id,
    }),
  }
}

function readChecksum(headers: ReadonlyMap<string, string>): Upload['checksum'] {
  const name = headers.get('x-amz-checksum-algorithm')
  const type = headers.get('x-amz-checksum-type')
  if (name === undefined) {
    if (type === undefined) return undefined
    throw new S3Failure(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with an algorithm.',
    )
  }
  const algorithm = CHECKSUM_ALGORITHMS.find((each) => each.toUpperCase() === name.toUpperCase())
  if (algorithm === undefined)
    throw new S3Failure('InvalidRequest', `Checksum algorithm provided is unsupported: ${name}`)
  const isWhole = algorithm === 'crc64nvme'
  const isComposite = algorithm.startsWith('sha')
  if (type === undefined) return { algorithm, type: isWhole ? 'FULL_OBJECT' : 'COMPOSITE' }
  if ((type !== 'FULL_OBJECT' && type !== 'COMPOSITE') || (type === 'COMPOSITE' ? isWhole : isComposite)) {
    throw new S3Failure('InvalidRequest', `The ${type} checksum type cannot be used with ${name}.`)
  }
  return { algorithm, type }
}
