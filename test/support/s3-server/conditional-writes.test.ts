import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { ReceivedBody } from './body.ts'
import { Bucket } from './bucket.ts'
import type { Operation, OperationSettings } from './operation.ts'
import { completeMultipartUpload } from './operations/complete-multipart-upload.ts'
import { putObject } from './operations/put-object.ts'
import { S3Failure } from './s3-failure.ts'
import { bytesInMemory } from './stored-bytes.ts'

const MD5 = createHash('md5').update('x').digest()

function bodyOf(text: string): ReceivedBody {
  return { bytes: bytesInMemory(Buffer.from(text)), md5: MD5, checksum: undefined, hasDigest: false }
}

/** What becomes of two writes, each of which began before the body of the other was there. */
async function race(
  operation: Operation,
  conditionalWrites: OperationSettings['conditionalWrites'],
  bodyFor: (bucket: Bucket) => { query: Map<string, string>; body: string },
): Promise<string[]> {
  const bucket = new Bucket()
  let arrive = () => {}
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve
  })
  const writes = [1, 2].map(async () => {
    const { query, body } = bodyFor(bucket)
    const headers = new Map([['if-none-match', '*']])
    const request = { ...{ method: 'PUT', rawPath: '', rawQuery: '', bucket: 'b', key: 'k' }, query, headers }
    await operation({
      request: { ...request, message: {} as IncomingMessage },
      buckets: new Map([['b', bucket]]),
      settings: { ...{ region: '', pageSize: 1, minPartBytes: 0 }, now: () => new Date(), conditionalWrites },
      denied: new Set(),
      receive: () => arrived.then(() => bodyOf(body)),
    })
    return 'won'
  })
  const outcomes = writes.map((write) =>
    write.catch((error) => (error instanceof S3Failure ? error.code : `bug: ${error}`)),
  )
  arrive()
  return (await Promise.all(outcomes)).sort()
}

/** Begins an upload of one part, and gives the request that completes it. */
function uploadOfOnePart(bucket: Bucket) {
  const id = bucket.nextUploadId()
  const part = { ...bodyOf('x'), etag: '"e"', modifiedAt: new Date() }
  const upload = { id, key: 'k', initiatedAt: new Date(), checksum: undefined, headers: { metadata: {} } }
  bucket.uploads.set(id, { ...upload, parts: new Map([[1, part]]) })
  const list = '<Part><PartNumber>1</PartNumber><ETag>e</ETag></Part>'
  const body = `<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`
  return { query: new Map([['uploadId', id]]), body }
}

describe.each([
  ['a put', putObject, () => ({ query: new Map<string, string>(), body: 'x' })],
  ['the completion of an upload', completeMultipartUpload, uploadOfOnePart],
] as const)('of two at once, %s', (_, operation, bodyFor) => {
  it('is refused where conditions are atomic', async () => {
    expect(await race(operation, 'atomic', bodyFor)).toEqual(['PreconditionFailed', 'won'])
  })

  it.each(['racy', 'none'] as const)('goes through where conditions are %s', async (conditionalWrites) => {
    expect(await race(operation, conditionalWrites, bodyFor)).toEqual(['won', 'won'])
  })
})
