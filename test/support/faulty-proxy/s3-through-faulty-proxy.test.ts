import { randomBytes } from 'node:crypto'
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterEach, expect, it } from 'vitest'
import { type FaultyProxy, startFaultyProxy } from '../faulty-proxy.ts'
import { createTestClient, startTestServer } from '../s3-server/s3-test-client.ts'

let proxy: FaultyProxy | undefined

afterEach(async () => {
  await proxy?.close()
})

async function untilItWorks<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempts = 0; ; attempts++) {
    try {
      return await ask()
    } catch (error) {
      if (attempts === 30) throw error
    }
  }
}

it('signatures hold behind the proxy, and a client that tries again gets through with every byte', async () => {
  const server = await startTestServer()
  proxy = await startFaultyProxy({
    targetPort: server.port,
    rate: 0.5,
    faults: {
      ...{ 'reset-before': 1, 'reset-after': 1, 'status-500': 1, 'status-503-slowdown': 1, 'status-429': 1 },
      'corrupt-request': 1,
    },
  })
  const client = createTestClient({ ...server, url: proxy.url })
  const Bucket = server.bucket
  const written = new Map<string, Buffer>()
  for (let i = 0; i < 40; i++) {
    const [Key, Body] = [`k${i}`, randomBytes(50_000)]
    written.set(Key, Body)
    await untilItWorks(() => client.send(new PutObjectCommand({ Bucket, Key, Body })))
  }
  expect(Object.entries(proxy.counts).filter(([, count]) => count > 0)).toHaveLength(6)
  expect(server.requests.filter(({ code }) => code === 'XAmzContentSHA256Mismatch').length).toBe(
    proxy.counts['corrupt-request'],
  )
  for (const [Key, bytes] of written) {
    const { Body } = await untilItWorks(() => client.send(new GetObjectCommand({ Bucket, Key })))
    expect(Buffer.from(await Body!.transformToByteArray()).equals(bytes)).toBe(true)
  }
  expect(proxy.targetFailures).toBe(0)
})
