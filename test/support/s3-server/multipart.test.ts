import { createHash, randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, it } from 'vitest'
import type { S3Server } from '../s3-server.ts'
import { createTestClient, refusalOf, startTestServer } from './s3-test-client.ts'

const Key = 'big'
const bodies = [randomBytes(2000), randomBytes(1500), randomBytes(7)]

let server: S3Server
let client: S3Client
let Bucket: string

beforeEach(async () => {
  server = await startTestServer({ minPartBytes: 1000 })
  client = createTestClient(server)
  Bucket = server.bucket
})

type Begun = { UploadId: string; parts: CompletedPart[] }

/** An upload, CRC32 of each part, of which all but the last request is made. */
async function begin(more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Begun> {
  const create = new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...more })
  const { UploadId } = await client.send(create)
  const parts: CompletedPart[] = []
  for (const [i, Body] of bodies.entries()) {
    const part = { Bucket, Key, UploadId, PartNumber: i + 1, Body, ChecksumAlgorithm: 'CRC32' as const }
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part))
    parts.push({ PartNumber: i + 1, ETag, ChecksumCRC32 })
  }
  return { UploadId: UploadId!, parts }
}

function complete({ UploadId, parts: Parts }: Begun, more: object = {}) {
  return client.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...more }),
  )
}

describe('an upload in parts', () => {
  it('is one object at last, and none before', async () => {
    const upload = await begin()
    expect(server.objects.size).toBe(0)
    const { ETag, ChecksumCRC32, ChecksumType } = await complete(upload)
    const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest()
    expect(ETag).toBe(`"${md5(Buffer.concat(bodies.map(md5))).toString('hex')}-3"`)
    expect([ChecksumCRC32, ChecksumType]).toEqual([expect.stringMatching(/==-3$/), 'COMPOSITE'])
    const read = async (Range?: string) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }))
      return Buffer.from(await Body!.transformToByteArray())
    }
    const whole = Buffer.concat(bodies)
    expect((await read()).equals(whole)).toBe(true)
    expect((await read('bytes=1990-3505')).equals(whole.subarray(1990, 3506))).toBe(true)
    expect(server.uploads.size).toBe(0)
  })

  it('may have a checksum of the whole', async () => {
    const upload = await begin({ ChecksumType: 'FULL_OBJECT' })
    const { ChecksumCRC32 } = await complete(upload)
    await client.send(new PutObjectCommand({ Bucket, Key: 'whole', Body: Buffer.concat(bodies) }))
    expect(ChecksumCRC32).toBe(server.objects.get('whole')?.checksum?.value)
  })

  it('takes the part that came last, and leaves out what is not listed', async () => {
    const upload = await begin()
    const part = { Bucket, Key, UploadId: upload.UploadId, PartNumber: 2, Body: 'other' }
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({ ...part, ChecksumAlgorithm: 'CRC32' }),
    )
    await complete({ ...upload, parts: [upload.parts[0]!, { PartNumber: 2, ETag, ChecksumCRC32 }] })
    expect(server.objects.get(Key)?.bytes.sizeBytes).toBe(2000 + 5)
  })

  it('keeps how it was to be stored', async () => {
    await complete(
      await begin({ StorageClass: 'GLACIER_IR', ServerSideEncryption: 'AES256', ACL: 'private' }),
    )
    expect(server.objects.get(Key)?.headers).toMatchObject({
      ...{ storageClass: 'GLACIER_IR', serverSideEncryption: 'AES256', acl: 'private' },
    })
  })

  it.each<[string, (parts: CompletedPart[]) => CompletedPart[], string]>([
    ['a wrong tag', ([first, ...rest]) => [{ ...first, ETag: '"0"' }, ...rest], '400 InvalidPart'],
    ['a part that is not there', (parts) => [...parts, { ...parts[0]!, PartNumber: 9 }], '400 InvalidPart'],
    ['a wrong checksum', ([a, ...rest]) => [{ ...a, ChecksumCRC32: 'AAAAAA==' }, ...rest], '400 InvalidPart'],
    ['no checksum', ([a, ...rest]) => [{ ...a, ChecksumCRC32: undefined }, ...rest], '400 InvalidRequest'],
    ['another order', ([a, b]) => [b!, a!], '400 InvalidPartOrder'],
    ['a part twice', ([a]) => [a!, a!], '400 InvalidPartOrder'],
    ['no part', () => [], '400 MalformedXML'],
  ])('is not completed with %s', async (_, change, refusal) => {
    const upload = await begin()
    const sent = complete({ ...upload, parts: change(upload.parts) })
    expect(await refusalOf(sent)).toBe(refusal)
    expect([server.objects.size, server.uploads.size]).toEqual([0, 1])
  })

  it('has no small part but the last', async () => {
    const upload = await begin()
    const part = {
      Bucket,
      Key,
      UploadId: upload.UploadId,
      PartNumber: 4,
      Body: 'x',
      ChecksumAlgorithm: 'CRC32' as const,
    }
    const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part))
    const parts = [...upload.parts, { PartNumber: 4, ETag, ChecksumCRC32 }]
    expect(await refusalOf(complete({ ...upload, parts }))).toBe('400 EntityTooSmall')
  })

  it('has parts with the checksum it was begun with', async () => {
    const { UploadId } = await begin()
    const part = { Bucket, Key, UploadId, PartNumber: 1, Body: 'x' }
    const other = client.send(new UploadPartCommand({ ...part, ChecksumAlgorithm: 'SHA256' }))
    expect(await refusalOf(other)).toBe('400 InvalidRequest')
    const wrong = client.send(new UploadPartCommand({ ...part, ChecksumCRC32: 'AAAAAA==' }))
    expect(await refusalOf(wrong)).toBe('400 BadDigest')
  })

  it('creates only if absent', async () => {
    const [one, two] = [await begin(), await begin()]
    const results = await Promise.all(
      [one, two].map((each) => refusalOf(complete(each, { IfNoneMatch: '*' }))),
    )
    expect(results.sort()).toEqual(['412 PreconditionFailed', undefined])
  })

  it('is over when it is completed or aborted', async () => {
    const [one, two] = [await begin(), await begin()]
    await complete(one)
    await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: two.UploadId }))
    for (const upload of [one, two]) {
      const { UploadId } = upload
      expect(await refusalOf(complete(upload))).toBe('404 NoSuchUpload')
      const part = new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 1, Body: 'x' })
      expect(await refusalOf(client.send(part))).toBe('404 NoSuchUpload')
      const abort = new AbortMultipartUploadCommand({ Bucket, Key, UploadId })
      expect(await refusalOf(client.send(abort))).toBe('404 NoSuchUpload')
    }
  })

  it('is listed with its parts, page by page', async () => {
    const { UploadId } = await begin()
    const numbers: unknown[] = []
    let PartNumberMarker: string | undefined
    do {
      const list = new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2, PartNumberMarker })
      const page = await client.send(list)
      numbers.push(...(page.Parts ?? []).map(({ PartNumber, Size }) => [PartNumber, Size]))
      PartNumberMarker = page.IsTruncated ? page.NextPartNumberMarker : undefined
    } while (PartNumberMarker !== undefined)
    expect(numbers).toEqual(bodies.map((body, i) => [i + 1, body.length]))
  })

  it('is listed among others, page by page, though some end meanwhile', async () => {
    const ids: string[] = []
    for (const each of ['b', 'a', 'c', 'b']) {
      const create = new CreateMultipartUploadCommand({ Bucket, Key: each })
      ids.push((await client.send(create)).UploadId!)
    }
    server.uploads.get(ids[1]!)!.initiatedAt = new Date(0)
    const seen: [string | undefined, string | undefined][] = []
    let marker: object | undefined = {}
    while (marker !== undefined) {
      const list: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket,
        MaxUploads: 1,
        ...marker,
      })
      const page = await client.send(list)
      for (const { Key: key, UploadId, Initiated } of page.Uploads ?? []) {
        seen.push([key, UploadId])
        expect(Initiated?.getTime() === 0).toBe(key === 'a')
        server.uploads.delete(UploadId!)
      }
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page
      marker = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined
    }
    expect(seen).toEqual([
      ['a', ids[1]],
      ['b', ids[0]],
      ['b', ids[3]],
      ['c', ids[2]],
    ])
  })
})
