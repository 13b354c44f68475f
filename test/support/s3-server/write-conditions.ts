import type { Bucket } from './bucket.ts'
import type { Call } from './operation.ts'
import { S3Failure } from './s3-failure.ts'

/**
 * Checks `If-None-Match: *` and `If-Match` of a write. `moment` is when: before the body is read, or in the same turn as
 * the object is put in its place.
 * @throws S3Failure PreconditionFailed, NoSuchKey, NotImplemented
 */
export function checkWriteConditions(call: Call, bucket: Bucket, moment: 'first' | 'last'): void {
  const { request, settings } = call
  const ifMatch = request.headers.get('if-match')
  const ifNoneMatch = request.headers.get('if-none-match')
  if (ifMatch === undefined && ifNoneMatch === undefined) return
  if (settings.conditionalWrites === 'none') return
  if (settings.conditionalWrites === 'unsupported') {
    throw new S3Failure('NotImplemented', 'Conditional object PUTs are not supported.')
  }
  if (settings.conditionalWrites === 'racy' && moment === 'last') return
  const existing = bucket.objects.get(request.key)
  if (ifNoneMatch !== undefined) {
    if (ifNoneMatch !== '*' || ifMatch !== undefined) {
      throw new S3Failure('NotImplemented', undefined, { Header: 'If-None-Match' })
    }
    if (existing !== undefined)
      throw new S3Failure('PreconditionFailed', undefined, { Condition: 'If-None-Match' })
  } else {
    if (existing === undefined) throw new S3Failure('NoSuchKey', undefined, { Key: request.key })
    if (ifMatch !== '*' && unquote(ifMatch!) !== unquote(existing.etag)) {
      throw new S3Failure('PreconditionFailed', undefined, { Condition: 'If-Match' })
    }
  }
}

/** Entity tags are compared without their quotes. */
export function unquote(etag: string): string {
  return etag.trim().replace(/^"(.*)"$/, '$1')
}
