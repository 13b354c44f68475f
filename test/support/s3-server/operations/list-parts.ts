import { checksumElement } from '../checksums.ts'
import { findUpload } from '../find-upload.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { readCount } from '../s3-request.ts'
import { writeXml } from '../write-xml.ts'

export const listParts: Operation = (call) => {
  const { request, settings } = call
  const upload = findUpload(call, bucketOf(call))
  const after = readCount('part-number-marker', request.query.get('part-number-marker') ?? '0')
  const maxParts = Math.min(readCount('max-parts', request.query.get('max-parts') ?? '1000'), 1000)
  const left = [...upload.parts].filter(([number]) => number > after).sort(([a], [b]) => a - b)
  const page = left.slice(0, Math.min(maxParts, settings.pageSize))
  const isTruncated = page.length > 0 && page.length < left.length
  return {
    body: writeXml('ListPartsResult', {
      Bucket: request.bucket,
      Key: upload.key,
      UploadId: upload.id,
      PartNumberMarker: after,
      NextPartNumberMarker: page.at(-1)?.[0] ?? 0,
      MaxParts: maxParts,
      IsTruncated: isTruncated,
      StorageClass: upload.headers.storageClass ?? 'STANDARD',
      ChecksumAlgorithm: upload.checksum?.algorithm.toUpperCase(),
      ChecksumType: upload.checksum?.type,
      Part: page.map(([number, { bytes, etag, checksum, modifiedAt }]) => ({
        PartNumber: number,
        LastModified: modifiedAt.toISOString(),
        ETag: etag,
        Size: bytes.sizeBytes,
        ...(checksum && { [checksumElement(checksum.algorithm)]: checksum.value }),
      })),
    }),
  }
}
