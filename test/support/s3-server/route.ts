import { CHECKSUM_ALGORITHMS, checksumHeader } from './checksums.ts'
import type { Operation } from './operation.ts'
import { abortMultipartUpload } from './operations/abort-multipart-upload.ts'
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts'
import { createBucket } from './operations/create-bucket.ts'
import { createMultipartUpload } from './operations/create-multipart-upload.ts'
import { deleteObject } from './operations/delete-object.ts'
import { deleteObjects } from './operations/delete-objects.ts'
import { getObject } from './operations/get-object.ts'
import { headBucket } from './operations/head-bucket.ts'
import { listMultipartUploads } from './operations/list-multipart-uploads.ts'
import { listObjects } from './operations/list-objects.ts'
import { listParts } from './operations/list-parts.ts'
import { putObject } from './operations/put-object.ts'
import { uploadPart } from './operations/upload-part.ts'
import { S3Failure } from './s3-failure.ts'
import type { S3Request } from './s3-request.ts'

export type OperationName = (typeof ROUTES)[number]['name']

export type Route = {
  name: string
  method: string
  on: 'bucket' | 'object'
  /** Parameters by which it is told from others of its method; with a value, or whatever it is. */
  marks: Readonly<Record<string, string | undefined>>
  /** Other parameters and headers that it knows. */
  parameters: readonly string[]
  headers: readonly string[]
  takesBody: boolean
  run: Operation
}

const CHECKSUMS = CHECKSUM_ALGORITHMS.map(checksumHeader)
/** Of a body that is stored. */
const DIGESTS = [
  ...CHECKSUMS,
  ...['x-amz-sdk-checksum-algorithm', 'x-amz-trailer', 'x-amz-decoded-content-length'],
]
const STORED = ['x-amz-storage-class', 'x-amz-server-side-encryption', 'x-amz-acl', 'x-amz-meta-']
const KMS = 'x-amz-server-side-encryption-aws-kms-key-id'
const CONDITIONS = ['if-match', 'if-none-match']
const PAYER = 'x-amz-request-payer'
/** Known to all operations. */
const COMMON_HEADERS = [
  'x-amz-date',
  'x-amz-content-sha256',
  'x-amz-security-token',
  'x-amz-user-agent',
  PAYER,
]
const LISTING = [
  'prefix',
  'delimiter',
  'max-keys',
  'continuation-token',
  'start-after',
  'encoding-type',
  'fetch-owner',
]

const ROUTES = [
  route('PutObject', 'PUT object', putObject, {
    takesBody: true,
    headers: [...DIGESTS, ...STORED, KMS, ...CONDITIONS],
  }),
  route('GetObject', 'GET object', getObject, { headers: ['range', 'x-amz-checksum-mode', ...CONDITIONS] }),
  route('HeadObject', 'HEAD object', getObject, { headers: ['range', 'x-amz-checksum-mode', ...CONDITIONS] }),
  route('DeleteObject', 'DELETE object', deleteObject, {}),
  route('DeleteObjects', 'POST bucket', deleteObjects, {
    marks: { delete: '' },
    takesBody: true,
    headers: DIGESTS,
  }),
  route('ListObjectsV2', 'GET bucket', listObjects, { marks: { 'list-type': '2' }, parameters: LISTING }),
  route('CreateMultipartUpload', 'POST object', createMultipartUpload, {
    marks: { uploads: '' },
    headers: [...STORED, KMS, 'x-amz-checksum-algorithm', 'x-amz-checksum-type'],
  }),
  route('UploadPart', 'PUT object', uploadPart, {
    marks: { partNumber: undefined, uploadId: undefined },
    takesBody: true,
    headers: DIGESTS,
  }),
  route('CompleteMultipartUpload', 'POST object', completeMultipartUpload, {
    marks: { uploadId: undefined },
    takesBody: true,
    headers: [...CHECKSUMS, 'x-amz-checksum-type', 'x-amz-mp-object-size', ...CONDITIONS],
  }),
  route('AbortMultipartUpload', 'DELETE object', abortMultipartUpload, { marks: { uploadId: undefined } }),
  route('ListParts', 'GET object', listParts, {
    marks: { uploadId: undefined },
    parameters: ['max-parts', 'part-number-marker'],
  }),
  route('ListMultipartUploads', 'GET bucket', listMultipartUploads, {
    marks: { uploads: '' },
    parameters: ['prefix', 'max-uploads', 'key-marker', 'upload-id-marker'],
  }),
  route('CreateBucket', 'PUT bucket', createBucket, { takesBody: true, headers: DIGESTS }),
  route('HeadBucket', 'HEAD bucket', headBucket, {}),
]

/** The operation that a request means, as its method, path and parameters say. */
export function findRoute({ method, bucket, key, query }: S3Request): Route | undefined {
  if (bucket === '') return undefined
  const on = key === '' ? 'bucket' : 'object'
  const candidates = ROUTES.filter(
    (each) =>
      each.method === method &&
      each.on === on &&
      Object.entries(each.marks).every(
        ([name, value]) => query.has(name) && (value === undefined || query.get(name) === value),
      ),
  )
  return candidates.sort((a, b) => Object.keys(b.marks).length - Object.keys(a.marks).length)[0]
}

/** @throws S3Failure NotImplemented for a parameter or header that would change what the request means */
export function checkRoute(route: Route, { query, headers }: S3Request): void {
  const parameters = [...Object.keys(route.marks), ...route.parameters, 'x-id']
  const strange = [...query.keys()].find((name) => !parameters.includes(name))
  if (strange !== undefined) throw notImplemented(`the parameter ${strange} of ${route.name}`)
  // Clients say what they mean, which shows what an unknown header or parameter would have changed.
  const meant = query.get('x-id') ?? route.name
  if (meant !== route.name) throw notImplemented(meant)
  for (const name of headers.keys()) {
    const mustBeKnown = name.startsWith('x-amz-') || name.startsWith('if-') || name === 'range'
    if (mustBeKnown && !isKnownHeader(route, name))
      throw notImplemented(`the header ${name} of ${route.name}`)
  }
}

export function notImplemented(what: string): S3Failure {
  return new S3Failure('NotImplemented', `this server does not implement ${what}`)
}

function isKnownHeader(route: Route, name: string): boolean {
  return [...COMMON_HEADERS, ...route.headers].some((known) =>
    known.endsWith('-') ? name.startsWith(known) : name === known,
  )
}

function route<Name extends string>(
  name: Name,
  target: `${string} ${Route['on']}`,
  run: Operation,
  more: Partial<Pick<Route, 'marks' | 'parameters' | 'headers' | 'takesBody'>>,
): Route & { name: Name } {
  const [method, on] = target.split(' ') as [string, Route['on']]
  return { marks: {}, parameters: [], headers: [], takesBody: false, ...more, name, method, on, run }
}
