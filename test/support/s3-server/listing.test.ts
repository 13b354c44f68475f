import { ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
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

async function put(...keys: string[]): Promise<void> {
  for (const Key of keys) await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
}

type Listing = {
  Prefix?: string
  Delimiter?: string
  MaxKeys?: number
  StartAfter?: string
  EncodingType?: 'url'
}

/** Page by page: what a page names, in the order of the answer. */
async function list(options: Listing = {}): Promise<string[][]> {
  const pages: string[][] = []
  let ContinuationToken: string | undefined
  do {
    const page = await client.send(new ListObjectsV2Command({ Bucket, ...options, ContinuationToken }))
    const names = [
      ...(page.Contents ?? []).map(({ Key }) => Key!),
      ...(page.CommonPrefixes ?? []).map((p) => p.Prefix!),
    ]
    expect(page.KeyCount).toBe(names.length)
    pages.push(names)
    ContinuationToken = page.NextContinuationToken
    expect(page.IsTruncated).toBe(ContinuationToken !== undefined)
  } while (ContinuationToken !== undefined)
  return pages
}

describe('a listing', () => {
  it('is in the order of the bytes', async () => {
    await put('b', 'a/b', 'a-b', 'a0', 'B', '\u{1f600}', '\uff5e', 'é')
    expect(await list()).toEqual([['B', 'a-b', 'a/b', 'a0', 'b', 'é', '\uff5e', '\u{1f600}']])
  })

  it('is empty', async () => {
    expect(await list()).toEqual([[]])
  })

  it('tells size, time and tag', async () => {
    const at = new Date('2026-01-02T03:04:05Z')
    server = await startTestServer({ now: () => at })
    client = createTestClient(server, { systemClockOffset: at.getTime() - Date.now() })
    await put('four')
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket }))
    expect(Contents).toMatchObject([
      { Key: 'four', Size: 4, LastModified: at, ETag: server.objects.get('four')!.etag },
    ])
  })

  it('keeps to a prefix', async () => {
    await put('a', 'ab', 'abc', 'b')
    expect(await list({ Prefix: 'ab' })).toEqual([['ab', 'abc']])
    expect(await list({ Prefix: 'x' })).toEqual([[]])
  })

  it('comes in pages', async () => {
    await put('k1', 'k2', 'k3', 'k4', 'l')
    expect(await list({ Prefix: 'k', MaxKeys: 2 })).toEqual([
      ['k1', 'k2'],
      ['k3', 'k4'],
    ])
    expect(await list({ Prefix: 'k', MaxKeys: 3 })).toEqual([['k1', 'k2', 'k3'], ['k4']])
    expect(await list({ Prefix: 'k', MaxKeys: 3, StartAfter: 'k1x' })).toEqual([['k2', 'k3', 'k4']])
  })

  it('comes in the pages of the server', async () => {
    server = await startTestServer({ pageSize: 1 })
    client = createTestClient(server)
    await put('a', 'b')
    expect(await list()).toEqual([['a'], ['b']])
  })

  it('goes on where the page ended, whatever was added or removed', async () => {
    await put('b', 'd')
    const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))
    await put('a', 'c')
    server.objects.delete('b')
    const ContinuationToken = first.NextContinuationToken
    const rest = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }))
    expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['c', 'd'])
  })

  it('groups at a delimiter, and counts a group once', async () => {
    await put('a/1', 'a/2', 'b', 'c/d/1', 'c/d/2', 'd')
    expect(await list({ Delimiter: '/' })).toEqual([['b', 'd', 'a/', 'c/']])
    expect(await list({ Delimiter: '/', MaxKeys: 1 })).toEqual([['a/'], ['b'], ['c/'], ['d']])
    expect(await list({ Delimiter: '/', Prefix: 'c/' })).toEqual([['c/d/']])
  })

  it('writes any key', async () => {
    await put('a&b<c>"\'d', 'sp ace+plus%', '\u0001')
    expect(await list()).toEqual([['\u0001', 'a&b<c>"\'d', 'sp ace+plus%']])
    expect(await list({ EncodingType: 'url' })).toEqual([['%01', "a%26b%3Cc%3E%22'd", 'sp+ace%2Bplus%25']])
  })

  it('refuses tokens of another listing', async () => {
    await put('a', 'b')
    const { NextContinuationToken } = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))
    for (const options of [
      { ContinuationToken: 'made-up' },
      { ContinuationToken: NextContinuationToken, Prefix: 'b' },
    ]) {
      const sent = client.send(new ListObjectsV2Command({ Bucket, ...options }))
      expect(await refusalOf(sent)).toBe('400 InvalidArgument')
    }
  })
})
