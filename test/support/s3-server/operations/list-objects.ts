import type { StoredObject } from '../bucket.ts'
import { checksumElement } from '../checksums.ts'
import { compareBytes } from '../object-map.ts'
import { bucketOf, type Operation } from '../operation.ts'
import { S3Failure } from '../s3-failure.ts'
import { readCount } from '../s3-request.ts'
import { writeXml } from '../write-xml.ts'

/** Version 2 of the listing: keys in the order of their bytes, in pages. */
export const listObjects: Operation = (call) => {
  const { request, settings } = call
  const { query } = request
  const { objects } = bucketOf(call)
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const startAfter = query.get('start-after')
  const token = query.get('continuation-token')
  const maxKeys = Math.min(readCount('max-keys', query.get('max-keys') ?? '1000'), 1000)
  const encode = readEncoding(query.get('encoding-type'))
  // A token goes on where its page ended, whatever `start-after` says.
  const after = token === undefined ? startAfter : readToken(token, prefix)

  const found: (string | { commonPrefix: string })[] = []
  let last = after ?? ''
  let isTruncated = false
  const most = Math.min(maxKeys, settings.pageSize)
  const keys = objects.sortedKeys()
  for (let i = after === undefined ? 0 : firstAfter(keys, after); i < keys.length; i++) {
    const key = keys[i]!
    if (!key.startsWith(prefix)) continue
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    const commonPrefix = end < 0 ? undefined : key.slice(0, end + delimiter.length)
    // What the page before this one ended with stands for all keys below it.
    if (commonPrefix !== undefined && commonPrefix === last) continue
    if (found.length === most) {
      isTruncated = most > 0
      break
    }
    last = commonPrefix ?? key
    found.push(commonPrefix === undefined ? key : { commonPrefix })
  }

  const contents = found.filter((entry) => typeof entry === 'string')
  const prefixes = found.filter((entry) => typeof entry !== 'string')
  return {
    body: writeXml('ListBucketResult', {
      Name: request.bucket,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      MaxKeys: maxKeys,
      EncodingType: query.get('encoding-type'),
      StartAfter: startAfter && encode(startAfter),
      ContinuationToken: token,
      NextContinuationToken: isTruncated ? writeToken(prefix, last) : undefined,
      KeyCount: found.length,
      IsTruncated: isTruncated,
      Contents: contents.map((key) => describe(encode(key), objects.get(key)!)),
      CommonPrefixes: prefixes.map(({ commonPrefix }) => ({ Prefix: encode(commonPrefix) })),
    }),
  }
}

function describe(key: string, { bytes, etag, modifiedAt, checksum, headers }: StoredObject) {
  return {
    Key: key,
    LastModified: modifiedAt.toISOString(),
    ETag: etag,
    ChecksumAlgorithm: checksum && checksumElement(checksum.algorithm).slice('Checksum'.length),
    ChecksumType: checksum?.type,
    Size: bytes.sizeBytes,
    StorageClass: headers.storageClass ?? 'STANDARD',
  }
}

/** The index of the first key that is greater. */
function firstAfter(keys: readonly string[], after: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareBytes(keys[middle]!, after) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

function readEncoding(type: string | undefined): (text: string) => string {
  if (type === undefined) return (text) => text
  if (type !== 'url') throw new S3Failure('InvalidArgument', 'Invalid Encoding Method specified in Request')
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%20', '+')
}

/** A token is good for the listing that gave it, and no other. */
function writeToken(prefix: string, last: string): string {
  return Buffer.from(JSON.stringify([prefix, last])).toString('base64')
}

function readToken(token: string, prefix: string): string {
  try {
    const [forPrefix, last] = JSON.parse(Buffer.from(token, 'base64').toString())
    if (forPrefix === prefix && typeof last === 'string') return last
  } catch {
    // It is none of ours: refused below.
  }
  throw new S3Failure('InvalidArgument', 'The continuation token provided is incorrect')
}
