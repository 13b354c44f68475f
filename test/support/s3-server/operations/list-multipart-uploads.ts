import type { Upload } from '../bucket.ts'
import { compareBytes } from '../object-map.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { readCount } from '../s3-request.ts'
import { writeXml } from '../write-xml.ts'

/** By key, and of one key by the time at which they were begun. */
export const listMultipartUploads: Operation = (call) => {
  const { request, settings } = call
  const { query } = request
  const prefix = query.get('prefix') ?? ''
  const keyMarker = query.get('key-marker') ?? ''
  const idMarker = query.get('upload-id-marker') ?? ''
  const maxUploads = Math.min(readCount('max-uploads', query.get('max-uploads') ?? '1000'), 1000)
  const left = [...bucketOf(call).uploads.values()]
    .filter((upload) => upload.key.startsWith(prefix) && isAfter(upload, keyMarker, idMarker))
    .sort(byKeyAndTime)
  const page = left.slice(0, Math.min(maxUploads, settings.pageSize))
  const isTruncated = page.length > 0 && page.length < left.length
  return {
    body: writeXml('ListMultipartUploadsResult', {
      Bucket: request.bucket,
      KeyMarker: keyMarker,
      UploadIdMarker: idMarker,
      NextKeyMarker: isTruncated ? page.at(-1)!.key : undefined,
      NextUploadIdMarker: isTruncated ? page.at(-1)!.id : undefined,
      Prefix: prefix,
      MaxUploads: maxUploads,
      IsTruncated: isTruncated,
      Upload: page.map(({ id, key, initiatedAt, headers, checksum }) => ({
        Key: key,
        UploadId: id,
        StorageClass: headers.storageClass ?? 'STANDARD',
        Initiated: initiatedAt.toISOString(),
        ChecksumAlgorithm: checksum?.algorithm.toUpperCase(),
        ChecksumType: checksum?.type,
      })),
    }),
  }
}

/** Without an id, the marker stands for all uploads of its key. */
function isAfter({ key, id }: Upload, keyMarker: string, idMarker: string): boolean {
  const order = compareBytes(key, keyMarker)
  return order > 0 || (order === 0 && idMarker !== '' && compareBytes(id, idMarker) > 0)
}

function byKeyAndTime(a: Upload, b: Upload): number {
  return compareBytes(a.key, b.key) || compareBytes(a.id, b.id)
}
