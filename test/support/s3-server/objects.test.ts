import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  ChecksumAlgorithm,
  CreateBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { S3Server } from '../s3-server.ts'
import { createTestClient, refusalOf, startTestServer } from './s3-test-client.ts'

let server: S3Server
let client: S3Client
let Bucket: string

beforeEach(async () => {
  server = await startTestServer()
  client = createTestClient(server)
  Bucket = server.bucket
})

async function read(Key: string, more: { Range?: string; ChecksumMode?: 'ENABLED' } = {}) {
  const answer = await client.send(new GetObjectCommand({ Bucket, Key, ...more }))
  return { ...answer, bytes: Buffer.from(await answer.Body!.transformToByteArray()) }
}

describe('an object', () => {
  it.each([0, 1, 100_000, (3 << 20) + 1])('of %i bytes comes back as it was', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes)
    const put = await client.send(new PutObjectCommand({ Bucket, Key: 'a/b', Body: bytes }))
    expect(put.ETag).toBe(`"${createHash('md5').update(bytes).digest('hex')}"`)
    const { bytes: got, ...answer } = await read('a/b', { ChecksumMode: 'ENABLED' })
    expect(got.equals(bytes)).toBe(true)
    expect(answer.ChecksumCRC32).toBe(put.ChecksumCRC32)
    expect(server.objects.get('a/b')?.bytes.sizeBytes).toBe(sizeBytes)
  })

  it('may come as a stream, with its checksum behind it', async () => {
    const bytes = randomBytes(200_000)
    const Body = Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)])
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ContentLength: bytes.length }))
    expect((await read('k')).bytes.equals(bytes)).toBe(true)
    expect(server.objects.get('k')?.checksum?.algorithm).toBe('crc32')
    expect(server.objects.get('k')?.headers.contentEncoding).toBeUndefined()
  })

  it('may be sent after the server said to go on', async () => {
    const patient = createTestClient(server, { expectContinueHeader: true })
    await patient.send(new PutObjectCommand({ Bucket, Key: 'k', Body: randomBytes(1 << 20) }))
    server.denied.add('PutObject')
    const refused = patient.send(new PutObjectCommand({ Bucket, Key: 'k2', Body: randomBytes(1 << 20) }))
    expect(await refusalOf(refused)).toBe('403 AccessDenied')
    expect([...server.objects.keys()]).toEqual(['k'])
  })

  it.each(Object.values(ChecksumAlgorithm).filter((name) => /^(CRC|SHA1|SHA256)/.test(name)))(
    'has the checksum %s that the client computed',
    async (name) => {
      await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'varve', ChecksumAlgorithm: name }))
      const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }))
      expect(head[`Checksum${name}` as 'ChecksumCRC32']).toMatch(/=$/)
    },
  )

  it('has any key', async () => {
    const Key = "sp ace+plus%25é日&=!~(1)'*/.././/x"
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    expect([...server.objects.keys()]).toEqual([Key])
    expect((await read(Key)).bytes.toString()).toBe('x')
  })

  it('keeps how it was to be stored', async () => {
    await client.send(
      new PutObjectCommand({
        ...{ Bucket, Key: 'k', Body: 'x', StorageClass: 'STANDARD_IA', ServerSideEncryption: 'aws:kms' },
        ...{ SSEKMSKeyId: 'a-key', ACL: 'bucket-owner-full-control', RequestPayer: 'requester' },
        ...{ Metadata: { colour: 'blue' }, ContentType: 'text/plain' },
      }),
    )
    expect(server.objects.get('k')?.headers).toEqual({
      ...{ storageClass: 'STANDARD_IA', serverSideEncryption: 'aws:kms', sseKmsKeyId: 'a-key' },
      ...{ acl: 'bucket-owner-full-control', requestPayer: 'requester', contentType: 'text/plain' },
      metadata: { colour: 'blue' },
    })
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'k' }))
    expect(head).toMatchObject({
      StorageClass: 'STANDARD_IA',
      SSEKMSKeyId: 'a-key',
      Metadata: { colour: 'blue' },
    })
  })

  it('is gone when deleted, once or twice', async () => {
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'k' }))
    expect(await refusalOf(read('k'))).toBe('404 NoSuchKey')
    expect(await refusalOf(client.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).toBe('404 NotFound')
  })

  it('may be deleted with others', async () => {
    for (const Key of ['a', 'b&<', 'c']) await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
    const Objects = [{ Key: 'a' }, { Key: 'b&<' }, { Key: 'never' }]
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }))
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['a', 'b&<', 'never'])
    expect([...server.objects.keys()]).toEqual(['c'])
  })

  it('is read to its end though it is replaced meanwhile', async () => {
    const bytes = randomBytes(16 << 20)
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: bytes }))
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new' }))
    expect(Buffer.from(await Body!.transformToByteArray()).equals(bytes)).toBe(true)
    expect((await read('k')).bytes.toString()).toBe('new')
  })
})

describe('a range', () => {
  beforeEach(() => client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' })))

  it.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-99', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', '0123456789', 'bytes 0-9/10'],
  ])('%s gives a part', async (Range, text, ContentRange) => {
    const { bytes, ...answer } = await read('k', { Range, ChecksumMode: 'ENABLED' })
    expect(bytes.toString()).toBe(text)
    expect(answer.$metadata.httpStatusCode).toBe(206)
    expect(answer.ContentRange).toBe(ContentRange)
    expect(answer.ChecksumCRC32).toBeUndefined()
  })

  it.each(['bytes=4-2', 'lines=1-2', 'bytes=-'])('%s is passed over', async (Range) => {
    expect((await read('k', { Range })).bytes.toString()).toBe('0123456789')
  })

  it.each(['bytes=10-', 'bytes=10-20', 'bytes=-0'])('%s lies outside', async (Range) => {
    expect(await refusalOf(read('k', { Range }))).toBe('416 InvalidRange')
  })
})

describe('a condition', () => {
  const put = (Body: string, more: object) =>
    refusalOf(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ...more })))

  it('lets one of many create', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, i) => put('x'.repeat(i + 1), { IfNoneMatch: '*' })),
    )
    expect(results.filter((result) => result === undefined)).toHaveLength(1)
    expect(results.filter((result) => result === '412 PreconditionFailed')).toHaveLength(7)
    expect((await read('k')).bytes).toHaveLength(results.indexOf(undefined) + 1)
  })

  it('replaces only what is known', async () => {
    expect(await put('1', { IfMatch: '"x"' })).toBe('404 NoSuchKey')
    await put('1', {})
    expect(await put('2', { IfMatch: '"x"' })).toBe('412 PreconditionFailed')
    expect(await put('2', { IfMatch: server.objects.get('k')!.etag })).toBeUndefined()
  })

  it('saves a read', async () => {
    await put('1', {})
    const { etag } = server.objects.get('k')!
    const get = (more: object) => refusalOf(client.send(new HeadObjectCommand({ Bucket, Key: 'k', ...more })))
    expect(await get({ IfNoneMatch: etag })).toMatch(/^304 /)
    expect(await get({ IfNoneMatch: '"x"' })).toBeUndefined()
    expect(await get({ IfMatch: '"x"' })).toMatch(/^412 /)
  })

  it.each([
    ['unsupported', '501 NotImplemented'],
    ['none', undefined],
    ['racy', '412 PreconditionFailed'],
  ] as const)('on a server where they are %s', async (conditionalWrites, refusal) => {
    server = await startTestServer({ conditionalWrites })
    client = createTestClient(server)
    await put('1', {})
    expect(await put('2', { IfNoneMatch: '*' })).toBe(refusal)
  })
})

describe('a bucket', () => {
  it('is there or not', async () => {
    const { BucketRegion } = await client.send(new HeadBucketCommand({ Bucket }))
    expect(BucketRegion).toBe('us-east-1')
    expect(await refusalOf(client.send(new HeadBucketCommand({ Bucket: 'other' })))).toBe('404 NotFound')
    const missing = client.send(new PutObjectCommand({ Bucket: 'other', Key: 'k', Body: 'x' }))
    expect(await refusalOf(missing)).toBe('404 NoSuchBucket')
  })

  it('is created once', async () => {
    await client.send(new CreateBucketCommand({ Bucket: 'other' }))
    await client.send(new PutObjectCommand({ Bucket: 'other', Key: 'k', Body: 'x' }))
    expect([...server.objects.keys()]).toEqual([])
    const again = client.send(new CreateBucketCommand({ Bucket: 'other' }))
    expect(await refusalOf(again)).toBe('409 BucketAlreadyOwnedByYou')
  })
})
