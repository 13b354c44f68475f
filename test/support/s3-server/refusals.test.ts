import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  CopyObjectCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { S3Server, S3ServerOptions } from '../s3-server.ts'
import { createTestClient, refusalOf, startTestServer } from './s3-test-client.ts'

let server: S3Server
let client: S3Client
let Bucket: string

async function start(options: S3ServerOptions = {}): Promise<void> {
  server = await startTestServer(options)
  client = createTestClient(server)
  Bucket = server.bucket
}

beforeEach(() => start())

/** Changes requests after they are signed. */
function tamper(change: (request: { body: unknown; headers: Record<string, string> }) => void): void {
  client.middlewareStack.add(
    (next) => (args) => {
      change(args.request as Parameters<typeof change>[0])
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
}

const list = (by: S3Client = client) => refusalOf(by.send(new ListObjectsV2Command({ Bucket })))
const put = (Body: string | Buffer | Readable, more: object = {}) =>
  refusalOf(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ...more })))

describe('who asks', () => {
  it('is let in with the right key', async () => {
    expect(await list()).toBeUndefined()
  })

  it.each([
    ['another secret', { secretAccessKey: 'wrong' }, '403 SignatureDoesNotMatch'],
    ['an unknown key', { accessKeyId: 'nobody' }, '403 InvalidAccessKeyId'],
    ['a token that nobody gave out', { sessionToken: 'made-up' }, '400 InvalidToken'],
  ])('is refused with %s', async (_, changed, refusal) => {
    const credentials = { ...server.credentials, ...changed }
    expect(await list(createTestClient({ ...server, credentials }))).toBe(refusal)
  })

  it('brings the token that belongs to the key', async () => {
    await start({ sessionToken: 'good', expiredSessionToken: 'old' })
    const { sessionToken: _, ...bare } = server.credentials
    const listWith = (credentials: S3Server['credentials']) =>
      list(createTestClient({ ...server, credentials }))
    expect(await list()).toBeUndefined()
    expect(await listWith({ ...bare, sessionToken: 'old' })).toBe('400 ExpiredToken')
    expect(await listWith({ ...bare, sessionToken: 'bad' })).toBe('400 InvalidToken')
    expect(await listWith(bare)).toBe('403 InvalidAccessKeyId')
  })

  it('names the region', async () => {
    const stranger = createTestClient({ ...server, region: 'eu-west-3' })
    await expect(stranger.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({
      name: 'AuthorizationHeaderMalformed',
      Region: 'us-east-1',
    })
  })

  it.each([
    [14 * 60_000, undefined],
    [-14 * 60_000, undefined],
    [16 * 60_000, '403 RequestTimeTooSkewed'],
    [-16 * 60_000, '403 RequestTimeTooSkewed'],
  ])('has a clock that is off by %i ms', async (systemClockOffset, refusal) => {
    expect(await list(createTestClient(server, { systemClockOffset }))).toBe(refusal)
  })

  it('signs', async () => {
    const answer = await fetch(`${server.url}/${Bucket}/k`)
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('<Code>AccessDenied</Code>')
  })

  it('signs all that has a meaning', async () => {
    tamper(({ headers }) => {
      headers['x-amz-acl'] = 'public-read'
    })
    expect(await put('x')).toBe('403 AccessDenied')
  })

  it('may be denied an operation', async () => {
    await put('x')
    const get = (Key: string) => refusalOf(client.send(new GetObjectCommand({ Bucket, Key })))
    expect(await get('missing')).toBe('404 NoSuchKey')
    server.denied.add('ListObjectsV2')
    expect(await list()).toBe('403 AccessDenied')
    expect(await get('k')).toBeUndefined()
    expect(await get('missing')).toBe('403 AccessDenied')
  })
})

describe('a body', () => {
  const md5 = (text: string) => createHash('md5').update(text).digest('base64')
  const sha256 = (text: string) => createHash('sha256').update(text).digest('base64')

  it.each([
    ['a wrong CRC32', { ChecksumCRC32: 'AQIDBA==' }, '400 BadDigest'],
    ['a wrong SHA-256', { ChecksumSHA256: sha256('no') }, '400 BadDigest'],
    ['a CRC32 that is none', { ChecksumCRC32: 'AQID' }, '400 InvalidRequest'],
    ['a wrong MD5', { ContentMD5: md5('no') }, '400 BadDigest'],
    ['an MD5 that is none', { ContentMD5: 'x' }, '400 InvalidDigest'],
  ])('with %s is refused', async (_, more, refusal) => {
    expect(await put('hello', more)).toBe(refusal)
    expect(server.objects.size).toBe(0)
  })

  it('that differs from what was signed is refused', async () => {
    tamper((request) => {
      request.body = Buffer.from('hellp')
    })
    expect(await put(Buffer.from('hello'))).toBe('400 XAmzContentSHA256Mismatch')
  })

  /** Sends two pieces of a stream, whose checksum follows it in the coding `aws-chunked`. */
  function putTampered(change: (coded: string) => string): Promise<string | undefined> {
    client.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { body: unknown }
        const pieces: Buffer[] = []
        for await (const piece of request.body as AsyncIterable<Uint8Array>) pieces.push(Buffer.from(piece))
        request.body = Buffer.from(change(Buffer.concat(pieces).toString('latin1')), 'latin1')
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low' },
    )
    return put(Readable.from([Buffer.from('hello '), Buffer.from('world')]), { ContentLength: 11 })
  }

  const joined = (coded: string) => coded.replace(/^6\r\nhello \r\n5\r\nworld/, 'b\r\nhello world')

  it.each<[string, (coded: string) => string, string]>([
    ['another checksum', (coded) => coded.replace(/(crc32:)./, '$1_'), '400 BadDigest'],
    ['another byte', (coded) => coded.replace('hello', 'hellp'), '400 BadDigest'],
    ['no trailer', (coded) => coded.replace(/x-amz-checksum.*/, ''), '400 MalformedTrailerError'],
    ['another trailer', (coded) => coded.replace('crc32', 'sha1'), '400 MalformedTrailerError'],
    [
      'a chunk too many',
      (coded) => coded.replace(/\r\n0\r\n/, '\r\n1\r\nx\r\n0\r\n'),
      '403 InvalidChunkSizeError',
    ],
    ['a wrong size of a chunk', (coded) => coded.replace(/^b/, 'a'), '400 IncompleteBody'],
    ['no end', (coded) => coded.slice(0, 9), '400 IncompleteBody'],
  ])('in chunks with %s is refused', async (_, change, refusal) => {
    expect(await putTampered((coded) => change(joined(coded)))).toBe(refusal)
    expect(server.objects.size).toBe(0)
  })

  it('in chunks goes through', async () => {
    expect(await putTampered(joined)).toBeUndefined()
    expect(server.objects.get('k')?.bytes.sizeBytes).toBe(11)
  })

  it('in small chunks is refused, as S3 does', async () => {
    expect(await putTampered((coded) => coded)).toBe('403 InvalidChunkSizeError')
  })

  it.each([
    [{ StorageClass: 'NONE' }, '400 InvalidStorageClass'],
    [{ ServerSideEncryption: 'rot13' }, '400 InvalidArgument'],
    [{ SSEKMSKeyId: 'a-key' }, '400 InvalidArgument'],
    [{ ACL: 'mine' }, '400 InvalidArgument'],
  ])('that is to be stored with %j is refused', async (more, refusal) => {
    expect(await put('x', more)).toBe(refusal)
    expect(server.objects.size).toBe(0)
  })
})

describe('what is not implemented', () => {
  it.each([
    [
      'an operation',
      () => client.send(new CopyObjectCommand({ Bucket, Key: 'k', CopySource: `${Bucket}/j` })),
    ],
    ['an operation on a bucket', () => client.send(new DeleteBucketCommand({ Bucket }))],
    ['an operation on the service', () => client.send(new ListBucketsCommand({}))],
    ['the old listing', () => client.send(new ListObjectsCommand({ Bucket }))],
    ['a header', () => client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', Tagging: 'a=b' }))],
    ['a parameter', () => client.send(new GetObjectCommand({ Bucket, Key: 'k', VersionId: 'v' }))],
    [
      'a condition',
      () => client.send(new GetObjectCommand({ Bucket, Key: 'k', IfModifiedSince: new Date() })),
    ],
    ['several ranges', () => client.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=0-0,2-2' }))],
  ])('is refused: %s', async (_, ask) => {
    await put('abc')
    expect(await refusalOf(ask())).toBe('501 NotImplemented')
  })
})

describe('the log', () => {
  it('holds what was asked, and can be emptied', async () => {
    await put('abc')
    await refusalOf(
      client.send(new GetObjectCommand({ Bucket, Key: 'x', Range: 'bytes=1-', RequestPayer: 'requester' })),
    )
    expect(server.requests).toEqual([
      { operation: 'PutObject', key: 'k', status: 200 },
      {
        operation: 'GetObject',
        key: 'x',
        status: 404,
        code: 'NoSuchKey',
        range: 'bytes=1-',
        requestPayer: 'requester',
      },
    ])
    server.requests.length = 0
    await list()
    expect(server.requests.map(({ operation }) => operation)).toEqual(['ListObjectsV2'])
  })
})
