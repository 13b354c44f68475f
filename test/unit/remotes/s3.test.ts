import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Remote, Source } from '../../../core/remote.ts'
import { BufferPool } from '../../../remotes/s3/buffer-pool.ts'
import { PART_BYTES } from '../../../remotes/s3/upload-parts.ts'
import { brokenSource, keysOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'
import { openS3 } from '../../support/open-s3.ts'
import { type S3Server, startS3Server } from '../../support/s3-server.ts'
import { setAwsEnvironment } from '../../support/stub-aws-environment.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const DAY_MS = 24 * 3600 * 1000
const KEY = 'packs/ab/value.pack'

let server: S3Server
let remote: Remote
beforeEach(async () => {
  server = await startS3Server()
  setAwsEnvironment(server.credentials)
  remote = await openS3(server)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await server.close()
})

function operations(): string[] {
  return server.requests.map(({ operation }) => operation)
}

function countOf(operation: string): number {
  return operations().filter((name) => name === operation).length
}

describe('a value', () => {
  test('of one part goes up in one request', async () => {
    await remote.write(KEY, sourceOf(someBytes(PART_BYTES)))
    expect(operations()).toEqual(['PutObject'])
  })

  test('larger than a part goes up in parts, and comes back equal', async () => {
    const bytes = someBytes(3 * PART_BYTES + 5)
    await remote.write(KEY, sourceOf(bytes))
    expect(operations().slice(0, 6).sort()).toEqual([
      'CompleteMultipartUpload',
      'CreateMultipartUpload',
      ...Array<string>(4).fill('UploadPart'),
    ])
    expect(server.uploads.size).toBe(0)
    expect((await readBytes(remote, KEY)).equals(bytes)).toBe(true)
    const range = { start: PART_BYTES - 3, endExclusive: 2 * PART_BYTES + 3 }
    const part = await readBytes(remote, KEY, { range })
    expect(part.equals(bytes.subarray(range.start, range.endExclusive))).toBe(true)
    expect(server.requests.at(-1)).toMatchObject({
      operation: 'GetObject',
      status: 206,
      range: `bytes=${range.start}-${range.endExclusive - 1}`,
    })
  })

  test('of an exact number of parts has no empty one', async () => {
    await remote.write(KEY, sourceOf(someBytes(2 * PART_BYTES)))
    expect(countOf('UploadPart')).toBe(2)
    expect((await remote.stat(KEY))?.sizeBytes).toBe(2 * PART_BYTES)
  })

  test('comes with a checksum that the service keeps, in parts too', async () => {
    await remote.write('small', sourceOf('value'))
    await remote.write(KEY, sourceOf(someBytes(PART_BYTES + 1)))
    expect(server.objects.get('place/small')?.checksum).toMatchObject({ algorithm: 'crc32' })
    expect(server.objects.get(`place/${KEY}`)?.checksum).toMatchObject({
      algorithm: 'crc32',
      type: 'COMPOSITE',
    })
  })

  test('"if absent" in parts is refused where there is one, and leaves no upload', async () => {
    await remote.write(KEY, sourceOf('first'))
    const second = remote.write(KEY, sourceOf(someBytes(PART_BYTES + 1)), { ifAbsent: true })
    await expect(second).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect((await readBytes(remote, KEY)).toString()).toBe('first')
    expect(server.uploads.size).toBe(0)
  })
})

describe('an upload that fails leaves nothing behind', () => {
  const bytes = someBytes(2 * PART_BYTES + 9)

  async function expectNothing(): Promise<void> {
    expect(server.uploads.size).toBe(0)
    expect(server.objects.size).toBe(0)
    expect(operations()).toContain('AbortMultipartUpload')
  }

  test('when a part is refused', async () => {
    server.denied.add('UploadPart')
    await expect(remote.write(KEY, sourceOf(bytes))).rejects.toMatchObject({ code: 'NO_PERMISSION' })
    await expectNothing()
  })

  test('when the last request is refused', async () => {
    server.denied.add('CompleteMultipartUpload')
    await expect(remote.write(KEY, sourceOf(bytes))).rejects.toMatchObject({ code: 'NO_PERMISSION' })
    await expectNothing()
  })

  test.each([
    ['gives too few bytes', brokenSource({ claimedBytes: bytes.length + 1, bytes })],
    ['gives too many', brokenSource({ claimedBytes: bytes.length - 1, bytes })],
    ['breaks', brokenSource({ claimedBytes: bytes.length + 1, bytes, error: new Error('disk on fire') })],
  ])('when its source %s', async (_name, source) => {
    await expect(remote.write(KEY, source)).rejects.toThrow()
    await expectNothing()
  })

  test('when it is interrupted', async () => {
    const controller = new AbortController()
    const source: Source = {
      sizeBytes: bytes.length,
      open() {
        const stream = sourceOf(bytes).open()
        let count = 0
        stream.on('data', (piece: Buffer) => {
          count += piece.length
          if (count > PART_BYTES + 1000) controller.abort()
        })
        return stream.pause()
      },
    }
    const writing = remote.write(KEY, source, { signal: controller.signal })
    await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
    await expectNothing()
  })

  test('and the memory that it used is free for the next', async () => {
    server.denied.add('UploadPart')
    for (let round = 0; round < 6; round++) {
      await expect(remote.write(KEY, sourceOf(bytes))).rejects.toMatchObject({ code: 'NO_PERMISSION' })
    }
    server.denied.clear()
    await remote.write(KEY, sourceOf(bytes))
    expect((await remote.stat(KEY))?.sizeBytes).toBe(bytes.length)
  })
})

describe('uploads that others left behind', () => {
  /** By their ages, in days. */
  async function leave(ages: Readonly<Record<string, number>>): Promise<void> {
    const { S3Client, CreateMultipartUploadCommand } = await import('@aws-sdk/client-s3')
    const { url: endpoint, region, credentials } = server
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    for (const [key, days] of Object.entries(ages)) {
      const { UploadId } = await client.send(
        new CreateMultipartUploadCommand({ Bucket: server.bucket, Key: key }),
      )
      server.uploads.get(UploadId!)!.initiatedAt = new Date(Date.now() - days * DAY_MS)
    }
    client.destroy()
  }
  const left = () => [...server.uploads.values()].map(({ key }) => key).sort()

  test('are ended after the first upload in parts when they are a week old, and no others', async () => {
    await leave({
      'place/packs/aa/old.pack': 7.1,
      'place/index/old.idx': 30,
      'place/packs/aa/young.pack': 6.9,
      'place/other/old.bin': 30,
      'packs/aa/old.pack': 30,
      'elsewhere/packs/aa/old.pack': 30,
    })
    await remote.write('small', sourceOf('value'))
    expect(left()).toHaveLength(6)
    await remote.write(KEY, sourceOf(someBytes(PART_BYTES + 1)))
    expect(left()).toEqual([
      'elsewhere/packs/aa/old.pack',
      'packs/aa/old.pack',
      'place/other/old.bin',
      'place/packs/aa/young.pack',
    ])
    await leave({ 'place/packs/aa/old.pack': 8 })
    await remote.write(KEY, sourceOf(someBytes(PART_BYTES + 1)))
    expect(left()).toContain('place/packs/aa/old.pack')
  })

  test('are left to others where that is not allowed, and nobody minds', async () => {
    await leave({ 'place/packs/aa/old.pack': 30 })
    for (const operation of ['ListMultipartUploads', 'AbortMultipartUpload'] as const) {
      server.denied.clear()
      server.denied.add(operation)
      await (await openS3(server)).write(KEY, sourceOf(someBytes(PART_BYTES + 1)))
    }
    expect(left()).toEqual(['place/packs/aa/old.pack'])
    expect((await remote.stat(KEY))?.sizeBytes).toBe(PART_BYTES + 1)
  })
})

describe('settings', () => {
  test.each([
    ['of one part', 100],
    ['of many', PART_BYTES + 1],
  ])('go with a value %s', async (_name, sizeBytes) => {
    const set = await openS3(server, {
      storageClass: 'STANDARD_IA',
      serverSideEncryption: 'aws:kms',
      kmsKeyId: 'alias/photos',
      acl: 'bucket-owner-full-control',
      requestPayer: 'requester',
    })
    await set.write(KEY, sourceOf(someBytes(sizeBytes)))
    expect(server.objects.get(`place/${KEY}`)?.headers).toMatchObject({
      storageClass: 'STANDARD_IA',
      serverSideEncryption: 'aws:kms',
      sseKmsKeyId: 'alias/photos',
      acl: 'bucket-owner-full-control',
      requestPayer: 'requester',
    })
  })

  test('that are not set send nothing', async () => {
    await remote.write(KEY, sourceOf('value'))
    const { headers } = server.objects.get(`place/${KEY}`)!
    for (const name of ['storageClass', 'serverSideEncryption', 'sseKmsKeyId', 'acl', 'requestPayer']) {
      expect(headers).not.toHaveProperty(name)
    }
  })

  test('say with every request who pays', async () => {
    const set = await openS3(server, { requestPayer: 'requester' })
    await set.write('small', sourceOf('value'), { ifAbsent: true })
    await set.write(KEY, sourceOf(someBytes(PART_BYTES + 1)))
    await readBytes(set, 'small', { range: { start: 1, endExclusive: 3 } })
    await set.stat('small')
    await keysOf(set, '')
    await set.remove('small')
    expect(new Set(operations())).toEqual(
      new Set([
        ...['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'],
        ...['ListMultipartUploads', 'GetObject', 'HeadObject', 'ListObjectsV2', 'DeleteObject'],
      ]),
    )
    for (const request of server.requests) expect(request).toMatchObject({ requestPayer: 'requester' })
  })
})

describe('a bucket without a prefix', () => {
  test('holds the keys as they are', async () => {
    const whole = await openS3(server, { prefix: '' })
    await whole.write('packs/ab/x', sourceOf('x'))
    expect([...server.objects.keys()]).toEqual(['packs/ab/x'])
    expect(await keysOf(whole, 'packs/')).toEqual(['packs/ab/x'])
  })

  test("lists what are keys, and not other people's things", async () => {
    const whole = await openS3(server, { prefix: '' })
    const { S3Client, PutObjectCommand } = await import('@aws-sdk/client-s3')
    const { url: endpoint, region, credentials } = server
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
    for (const Key of ['packs/', 'packs/.hidden', 'packs/with space', 'packs/ä', '../x', 'packs/ok']) {
      await client.send(new PutObjectCommand({ Bucket: server.bucket, Key, Body: 'x' }))
    }
    client.destroy()
    expect(await keysOf(whole, '')).toEqual(['packs/ok'])
  })
})

describe('a service without conditional writes', () => {
  test('is asked for one once, and then looked at first', async () => {
    await server.close()
    server = await startS3Server({ conditionalWrites: 'unsupported' })
    setAwsEnvironment(server.credentials)
    const old = await openS3(server)
    await old.write('a', sourceOf('first'), { ifAbsent: true })
    expect(server.requests.map(({ operation, status }) => [operation, status])).toEqual([
      ['PutObject', 501],
      ['HeadObject', 404],
      ['PutObject', 200],
    ])
    server.requests.length = 0
    await expect(old.write('a', sourceOf('second'), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    expect(operations()).toEqual(['HeadObject'])
  })
})

test('the SDK prints nothing by itself', async () => {
  const prints = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'error'), vi.spyOn(console, 'log')]
  const warning = vi.spyOn(process, 'emitWarning')
  const folder = makeTemporaryFolder()
  const { accessKeyId, secretAccessKey } = server.credentials
  const file = join(folder, 'credentials')
  const keys = `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
  await writeFile(file, `[photos]\n${keys}`)
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAANOTHER')
  const named = await openS3(server, { profile: 'photos' })
  await named.write('key', sourceOf('value'))
  expect((await readBytes(named, 'key')).toString()).toBe('value')
  for (const print of [...prints, warning]) expect(print).not.toHaveBeenCalled()
})

test('a reader that goes away frees its connection', async () => {
  await remote.write(KEY, sourceOf(someBytes(PART_BYTES)))
  // More than there are sockets.
  for (let round = 0; round < 70; round++) {
    const stream = await remote.read(KEY)
    if (round % 2 === 0) stream.destroy()
    else for await (const _piece of stream) break
  }
  expect((await remote.stat(KEY))?.sizeBytes).toBe(PART_BYTES)
})

test('a value of the bucket that arrives damaged is CORRUPT', async () => {
  await remote.write(KEY, sourceOf(someBytes(500_000)))
  const object = server.objects.get(`place/${KEY}`)!
  const other = await openS3(server, { prefix: 'other' })
  await other.write(KEY, sourceOf(someBytes(500_000)))
  // The bytes of one value, with the checksum of another.
  object.checksum = server.objects.get(`other/${KEY}`)!.checksum
  await expect(readBytes(remote, KEY)).rejects.toMatchObject({ code: 'CORRUPT', retryable: true })
})

describe('memory for parts', () => {
  test('is bounded, however many values are written at once', async () => {
    const pool = new BufferPool(8, 1000)
    let lent = 0
    let most = 0
    await Promise.all(
      Array.from({ length: 50 }, async () => {
        const buffer = await pool.take()
        most = Math.max(most, ++lent)
        expect(buffer).toHaveLength(1000)
        await new Promise(setImmediate)
        lent--
        pool.give(buffer)
      }),
    )
    expect(most).toBe(8)
  })

  test('comes back when the work fails', async () => {
    const pool = new BufferPool(1, 1 << 20)
    for (let round = 0; round < 3; round++) {
      const failing = pool.using(1 << 20, async () => {
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
    }
    expect((await pool.take()).length).toBe(1 << 20)
  })

  test('is no more than eight parts in the remote itself', async () => {
    const { take, give } = BufferPool.prototype
    const buffers = new Set<Buffer>()
    let lent = 0
    let most = 0
    vi.spyOn(BufferPool.prototype, 'take').mockImplementation(async function (this: BufferPool) {
      const buffer = await take.call(this)
      buffers.add(buffer)
      most = Math.max(most, ++lent)
      return buffer
    })
    vi.spyOn(BufferPool.prototype, 'give').mockImplementation(function (this: BufferPool, buffer) {
      lent--
      give.call(this, buffer)
    })
    const values = Array.from({ length: 6 }, () => someBytes(2 * PART_BYTES))
    await Promise.all(values.map((bytes, at) => remote.write(`packs/ab/${at}`, sourceOf(bytes))))
    expect(most).toBe(8)
    expect(lent).toBe(0)
    expect(buffers.size).toBe(8)
    for (const [at, bytes] of values.entries()) {
      expect((await readBytes(remote, `packs/ab/${at}`)).equals(bytes)).toBe(true)
    }
  })
})
