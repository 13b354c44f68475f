import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { request as requestOf } from 'node:http'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { makeTemporaryFolder } from '../temporary-folder.ts'
import { createTestClient, startTestServer } from './s3-test-client.ts'

let folder: string

beforeEach(() => {
  folder = `${makeTemporaryFolder()}/tmp`
  mkdirSync(folder)
  vi.stubEnv('TMPDIR', folder)
  vi.stubEnv('TEMP', folder)
})

afterEach(() => {
  vi.unstubAllEnvs()
})

/** The files of the server. */
function spooled(): string[] {
  return readdirSync(folder).flatMap((name) => readdirSync(`${folder}/${name}`))
}

it('large values lie in files, as long as they are wanted', async () => {
  const server = await startTestServer()
  const client = createTestClient(server)
  const { bucket: Bucket } = server
  const put = (Key: string, sizeBytes: number) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.alloc(sizeBytes) }))
  await put('small', 1 << 20)
  expect(readdirSync(folder)).toEqual([])
  await put('large', (1 << 20) + 1)
  await put('larger', 3 << 20)
  expect(spooled()).toHaveLength(2)
  await put('large', 1)
  await expect.poll(spooled).toHaveLength(1)
  server.objects.delete('larger')
  await expect.poll(spooled).toEqual([])
})

it('parts lie in files, until their object is gone', async () => {
  const server = await startTestServer()
  const client = createTestClient(server)
  const at = { Bucket: server.bucket, Key: 'k' }
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(at))
  const Parts = []
  for (const PartNumber of [1, 2, 3]) {
    const part = new UploadPartCommand({ ...at, UploadId, PartNumber, Body: Buffer.alloc(6 << 20) })
    Parts.push({ PartNumber, ETag: (await client.send(part)).ETag })
  }
  expect(spooled()).toHaveLength(3)
  const MultipartUpload = { Parts: Parts.slice(0, 2) }
  await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }))
  await expect.poll(spooled).toHaveLength(2)
  server.objects.clear()
  await expect.poll(spooled).toEqual([])
})

it('what is refused or cut off leaves no file, and the end of the server none at all', async () => {
  const server = await startTestServer()
  const client = createTestClient(server)
  const at = { Bucket: server.bucket, Key: 'k' }
  const Body = Buffer.alloc(2 << 20)
  await expect(
    client.send(new PutObjectCommand({ ...at, Body, ChecksumCRC32: 'AAAAAA==' })),
  ).rejects.toThrow()
  await expect.poll(spooled).toEqual([])

  let signed: { path: string; headers: Record<string, string> } | undefined
  client.middlewareStack.add(
    (next) => (args) => {
      signed = args.request as NonNullable<typeof signed>
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  await client.send(new PutObjectCommand({ ...at, Body }))
  const path = `${signed!.path}?x-id=PutObject`
  const { headers } = signed!
  const before = server.requests.length
  const cut = requestOf({ host: '127.0.0.1', port: server.port, method: 'PUT', path, headers })
  cut.on('error', () => undefined)
  cut.write(Body.subarray(0, (1 << 20) + 4096))
  await expect.poll(spooled).toHaveLength(2)
  cut.destroy()
  await expect.poll(spooled).toHaveLength(1)
  await expect.poll(() => server.requests.length).toBe(before + 1)
  expect(server.objects.get('k')?.bytes.sizeBytes).toBe(Body.length)

  await server.close()
  expect(existsSync(folder)).toBe(true)
  expect(readdirSync(folder)).toEqual([])
})
