import type { StoredHeaders } from './bucket.ts'
import { S3Failure } from './s3-failure.ts'

const METADATA = 'x-amz-meta-'

/** The headers that go with an object, and the name that each has in `StoredHeaders`. */
const NAMES = {
  'content-type': 'contentType',
  'cache-control': 'cacheControl',
  'x-amz-storage-class': 'storageClass',
  'x-amz-server-side-encryption': 'serverSideEncryption',
  'x-amz-server-side-encryption-aws-kms-key-id': 'sseKmsKeyId',
  'x-amz-acl': 'acl',
  'x-amz-request-payer': 'requestPayer',
} as const

const STORAGE_CLASSES = [
  ...['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING'],
  ...['GLACIER', 'GLACIER_IR', 'DEEP_ARCHIVE', 'EXPRESS_ONEZONE'],
]
const ENCRYPTIONS = ['AES256', 'aws:kms', 'aws:kms:dsse']
const ACLS = [
  ...['private', 'public-read', 'public-read-write', 'authenticated-read', 'aws-exec-read'],
  ...['bucket-owner-read', 'bucket-owner-full-control'],
]

/** @throws S3Failure InvalidStorageClass, InvalidArgument */
export function readStoredHeaders(headers: ReadonlyMap<string, string>): StoredHeaders {
  const stored: StoredHeaders & Record<string, unknown> = { metadata: readMetadata(headers) }
  for (const [header, name] of Object.entries(NAMES)) {
    const value = headers.get(header)
    if (value !== undefined) stored[name] = value
  }
  checkStored(stored)
  const encodings = (headers.get('content-encoding') ?? '').split(',').map((encoding) => encoding.trim())
  const rest = encodings.filter((encoding) => encoding !== '' && encoding !== 'aws-chunked')
  if (rest.length > 0) stored.contentEncoding = rest.join(',')
  return stored
}

function checkStored({
  storageClass,
  serverSideEncryption,
  sseKmsKeyId,
  acl,
  requestPayer,
}: StoredHeaders): void {
  if (storageClass !== undefined && !STORAGE_CLASSES.includes(storageClass)) {
    throw new S3Failure('InvalidStorageClass')
  }
  if (serverSideEncryption !== undefined && !ENCRYPTIONS.includes(serverSideEncryption)) {
    throw new S3Failure('InvalidArgument', 'The encryption method specified is not supported')
  }
  if (sseKmsKeyId !== undefined && !serverSideEncryption?.startsWith('aws:kms')) {
    throw new S3Failure('InvalidArgument', 'A KMS key was given without encryption by KMS')
  }
  if (acl !== undefined && !ACLS.includes(acl)) throw new S3Failure('InvalidArgument', `no such ACL: ${acl}`)
  if (requestPayer !== undefined && requestPayer !== 'requester') {
    throw new S3Failure('InvalidArgument', `x-amz-request-payer is ${requestPayer}`)
  }
}

/** What an answer about the object says of how it is encrypted. */
export function encryptionHeaders(stored: StoredHeaders): Record<string, string | undefined> {
  return {
    'x-amz-server-side-encryption': stored.serverSideEncryption,
    'x-amz-server-side-encryption-aws-kms-key-id': stored.sseKmsKeyId,
  }
}

/** What goes out with the object. */
export function replayHeaders(stored: StoredHeaders): Record<string, string | undefined> {
  const metadata = Object.entries(stored.metadata).map(([name, value]) => [METADATA + name, value])
  return {
    'content-type': stored.contentType ?? 'binary/octet-stream',
    'content-encoding': stored.contentEncoding,
    'cache-control': stored.cacheControl,
    'x-amz-storage-class': stored.storageClass === 'STANDARD' ? undefined : stored.storageClass,
    ...encryptionHeaders(stored),
    ...Object.fromEntries(metadata),
  }
}

function readMetadata(headers: ReadonlyMap<string, string>): Record<string, string> {
  const found = [...headers].filter(([name]) => name.startsWith(METADATA))
  return Object.fromEntries(found.map(([name, value]) => [name.slice(METADATA.length), value]))
}
