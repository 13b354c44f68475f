import { createHash } from 'node:crypto'
import type { StoredObject, Upload, UploadedPart } from '../bucket.ts'
import {
  CHECKSUM_ALGORITHMS,
  type Checksum,
  checksumElement,
  checksumHeader,
  compositeChecksum,
  createChecksummer,
} from '../checksums.ts'
import { findUpload } from '../find-upload.ts'
import { bucketOf, type Call, type Operation, receiveText } from '../operation.ts'
import { checkChildNames, childText, readXml } from '../read-xml.ts'
import { S3Failure } from '../s3-failure.ts'
import { readCount } from '../s3-request.ts'
import { bytesOfParts, type StoredBytes } from '../stored-bytes.ts'
import { encryptionHeaders } from '../stored-headers.ts'
import { checkWriteConditions, unquote } from '../write-conditions.ts'
import { writeXml } from '../write-xml.ts'

export const completeMultipartUpload: Operation = async (call) => {
  const { request, settings } = call
  const bucket = bucketOf(call)
  checkWriteConditions(call, bucket, 'first')
  const upload = findUpload(call, bucket)
  const { text } = await receiveText(call)
  const parts = readParts(text, upload, settings.minPartBytes)
  const bytes = bytesOfParts(parts.map((part) => part.bytes))
  checkSize(call, bytes)
  const checksum = await checksumOf(upload, { parts, bytes })
  checkClaimedChecksum(call, checksum)

  // From here on in one turn.
  findUpload(call, bucket)
  checkWriteConditions(call, bucket, 'last')
  const etag = etagOf(parts)
  const object: StoredObject = { bytes, etag, modifiedAt: settings.now(), checksum, headers: upload.headers }
  bucket.objects.set(upload.key, object)
  bucket.uploads.delete(upload.id)
  const used = new Set(parts)
  for (const part of upload.parts.values()) if (!used.has(part)) part.bytes.drop()
  return {
    headers: encryptionHeaders(upload.headers),
    body: writeXml('CompleteMultipartUploadResult', {
      Location: `/${request.bucket}/${request.key}`,
      Bucket: request.bucket,
      Key: request.key,
      ETag: etag,
      ...(checksum && { [checksumElement(checksum.algorithm)]: checksum.value, ChecksumType: checksum.type }),
    }),
  }
}

/** The parts that the request lists, in its order, each found and found equal to what the request says of it. */
function readParts(text: string, upload: Upload, minPartBytes: number): UploadedPart[] {
  const list = readXml(text, 'CompleteMultipartUpload')
  checkChildNames(list, ['Part'])
  if (list.children.length === 0) throw new S3Failure('MalformedXML')
  let previous = 0
  const parts = list.children.map((node) => {
    checkChildNames(node, ['PartNumber', 'ETag', ...CHECKSUM_ALGORITHMS.map(checksumElement)])
    const number = readCount('PartNumber', childText(node, 'PartNumber') ?? '')
    if (number <= previous) throw new S3Failure('InvalidPartOrder')
    previous = number
    const part = upload.parts.get(number)
    if (part === undefined || unquote(childText(node, 'ETag') ?? '') !== unquote(part.etag)) {
      throw new S3Failure('InvalidPart', undefined, { PartNumber: String(number) })
    }
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      const claimed = childText(node, checksumElement(algorithm))
      if (claimed !== undefined) checkPartChecksum({ upload, part, claimed, algorithm })
      else if (upload.checksum?.algorithm === algorithm && upload.checksum.type === 'COMPOSITE') {
        throw new S3Failure(
          'InvalidRequest',
          `The upload was created using a ${algorithm} checksum. The complete request must include the checksum for ` +
            `each part. It was missing for part ${number} in the request.`,
        )
      }
    }
    return part
  })
  const small = parts.slice(0, -1).find((part) => part.bytes.sizeBytes < minPartBytes)
  if (small !== undefined) {
    throw new S3Failure('EntityTooSmall', undefined, {
      ProposedSize: String(small.bytes.sizeBytes),
      MinSizeAllowed: String(minPartBytes),
      ETag: unquote(small.etag),
    })
  }
  return parts
}

/** Checksums of parts mean nothing to an upload that was begun without one. */
function checkPartChecksum(options: {
  upload: Upload
  part: UploadedPart
  claimed: string
  algorithm: Checksum['algorithm']
}): void {
  const { upload, part, claimed, algorithm } = options
  const isKnown = upload.checksum?.algorithm === algorithm && part.checksum?.algorithm === algorithm
  if (!isKnown || part.checksum?.value !== claimed) throw new S3Failure('InvalidPart')
}

function checkSize({ request }: Call, bytes: StoredBytes): void {
  const stated = request.headers.get('x-amz-mp-object-size')
  if (stated !== undefined && readCount('x-amz-mp-object-size', stated) !== bytes.sizeBytes) {
    throw new S3Failure('InvalidRequest', 'x-amz-mp-object-size differs from the size of the parts.')
  }
}

async function checksumOf(
  { checksum }: Upload,
  { parts, bytes }: { parts: readonly UploadedPart[]; bytes: StoredBytes },
): Promise<Checksum | undefined> {
  if (checksum === undefined) return undefined
  const { algorithm, type } = checksum
  if (type === 'COMPOSITE') {
    return compositeChecksum(
      algorithm,
      parts.map((part) => part.checksum!.value),
    )
  }
  const checksummer = await createChecksummer(algorithm)
  for await (const piece of bytes.read(0, bytes.sizeBytes)) checksummer.update(piece)
  return { algorithm, type, value: checksummer.digest().toString('base64') }
}

function checkClaimedChecksum({ request: { headers } }: Call, checksum: Checksum | undefined): void {
  const type = headers.get('x-amz-checksum-type')
  if (type !== undefined && type !== checksum?.type) {
    throw new S3Failure('InvalidRequest', `The upload was not created with the checksum type ${type}.`)
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const claimed = headers.get(checksumHeader(algorithm))
    if (claimed === undefined) continue
    if (checksum?.algorithm !== algorithm) throw new S3Failure('InvalidRequest', 'Another checksum was used.')
    if (checksum.value !== claimed) throw new S3Failure('BadDigest')
  }
}

function etagOf(parts: readonly UploadedPart[]): string {
  const hash = createHash('md5')
  for (const { md5 } of parts) hash.update(md5)
  return `"${hash.digest('hex')}-${parts.length}"`
}
