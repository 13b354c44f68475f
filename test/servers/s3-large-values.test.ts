import { ListMultipartUploadsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, expect, test } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { createS3Remote } from '../../remotes/s3.ts'
import { brokenSource, keysOf, readBytes, someBytes, sourceOf, stallingSource } from '../contract/sources.ts'
import { clientOf, createBucket, describeRealS3Servers, useCredentials } from '../support/real-s3.ts'

/** More than two parts, the last of them of an odd size. */
const bytes = someBytes((40 << 20) + 12_345)

describeRealS3Servers('values of many parts on a real server', (server) => {
  const { endpointUrl, region } = server
  const client = clientOf(server)
  useCredentials(server)
  let bucket = ''
  let remote: Remote
  beforeAll(async () => {
    bucket = await createBucket(server)
    remote = await createS3Remote(
      { url: `s3://${bucket}`, bucket, prefix: '' },
      { endpointUrl, region, forcePathStyle: true },
    )
  })

  async function expectNoUploads(): Promise<void> {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    expect(Uploads.map(({ Key }) => Key)).toEqual([])
  }

  test('come back whole and in ranges across parts', async () => {
    await remote.write('packs/ab/large.pack', sourceOf(bytes))
    expect((await remote.stat('packs/ab/large.pack'))?.sizeBytes).toBe(bytes.length)
    expect((await readBytes(remote, 'packs/ab/large.pack')).equals(bytes)).toBe(true)
    const range = { start: (16 << 20) - 7, endExclusive: (32 << 20) + 7 }
    const part = await readBytes(remote, 'packs/ab/large.pack', { range })
    expect(part.equals(bytes.subarray(range.start, range.endExclusive))).toBe(true)
    await expectNoUploads()
  })

  test('replace a value, and are refused where there is one, if absent is asked', async () => {
    await remote.write('packs/cd/there.pack', sourceOf('small'))
    const refused = remote.write('packs/cd/there.pack', sourceOf(bytes), { ifAbsent: true })
    await expect(refused).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect((await readBytes(remote, 'packs/cd/there.pack')).toString()).toBe('small')
    await remote.write('packs/cd/there.pack', sourceOf(bytes))
    expect((await remote.stat('packs/cd/there.pack'))?.sizeBytes).toBe(bytes.length)
    await remote.write('packs/cd/new.pack', sourceOf(bytes), { ifAbsent: true })
    expect((await remote.stat('packs/cd/new.pack'))?.sizeBytes).toBe(bytes.length)
    await expectNoUploads()
  })

  test.each([
    ['breaks', brokenSource({ claimedBytes: bytes.length + 1, bytes, error: new Error('disk on fire') })],
    ['is too short', brokenSource({ claimedBytes: bytes.length + 1, bytes })],
    ['is too long', brokenSource({ claimedBytes: bytes.length - 1, bytes })],
  ])('leave nothing behind when the source %s', async (_name, source) => {
    await expect(remote.write('packs/ef/broken.pack', source)).rejects.toThrow()
    expect(await keysOf(remote, 'packs/ef/')).toEqual([])
    await expectNoUploads()
  })

  test('leave nothing behind when they are aborted', async () => {
    const controller = new AbortController()
    const claimedBytes = bytes.length + 1
    const source = stallingSource({ claimedBytes, bytes, stalled: () => controller.abort() })
    const writing = remote.write('packs/ef/aborted.pack', source, { signal: controller.signal })
    await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(await keysOf(remote, 'packs/ef/')).toEqual([])
    await expectNoUploads()
  })

  test('what others keep in the bucket is neither listed nor touched', async () => {
    for (const Key of ['.hidden/x', 'photos of mine/a b.jpg', 'packs/..x', 'naïve']) {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'mine' }))
    }
    await remote.write('varve.json', sourceOf('{}'))
    const keys = await keysOf(remote, '')
    expect(keys).toContain('varve.json')
    expect(keys.every((key) => /^(packs\/(ab|cd)\/|varve\.json$)/.test(key))).toBe(true)
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
    expect(Contents).toHaveLength(keys.length + 4)
  })
})
