import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { PART_BYTES } from '../../../remotes/s3/upload-parts.ts'
import { withLimit } from '../../../remotes/with-limit.ts'
import { withRetry } from '../../../remotes/with-retry.ts'
import { withStallTimeout } from '../../../remotes/with-stall-timeout.ts'
import { keysOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'
import { type FaultyProxy, startFaultyProxy } from '../../support/faulty-proxy.ts'
import { openS3 } from '../../support/open-s3.ts'
import { type S3Server, startS3Server } from '../../support/s3-server.ts'
import { setAwsEnvironment } from '../../support/stub-aws-environment.ts'

let server: S3Server
let proxy: FaultyProxy
beforeEach(async () => {
  server = await startS3Server({ pageSize: 5 })
  proxy = await startFaultyProxy({ targetPort: server.port, faults: {}, rate: 0.4, seed: 5 })
  setAwsEnvironment(server.credentials)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await proxy.close()
  await server.close()
})

async function open(): Promise<Remote> {
  const remote = withLimit(withStallTimeout(await openS3(server, { endpointUrl: proxy.url })), { most: 4 })
  return withRetry(remote, { attempts: 20, baseDelayMs: 0.1 })
}

test.each([
  'reset-before',
  'reset-after',
  'reset-midway',
  'truncate',
  'status-500',
  'status-503-slowdown',
  'status-429',
  'corrupt-request',
] as const)('where many requests end in %s, all values come back equal', async (fault) => {
  const values = Array.from({ length: 12 }, (_, at) =>
    someBytes(at === 0 ? PART_BYTES + 7 : 1000 + at * 20_000),
  )
  const remote = await open()
  proxy.setFaults({ [fault]: 1 })
  await Promise.all(values.map((bytes, at) => remote.write(`packs/${at}`, sourceOf(bytes))))
  expect(await keysOf(remote, 'packs/')).toEqual(values.map((_, at) => `packs/${at}`).sort())
  const read = await Promise.all(values.map((_, at) => readBytes(remote, `packs/${at}`)))
  for (const [at, bytes] of values.entries()) expect(read[at]!.equals(bytes)).toBe(true)
  expect(proxy.counts[fault]).toBeGreaterThan(0)
})

test('a byte that is wrong on its way to the reader is told when the value has ended', async () => {
  const bytes = someBytes(300_000)
  const remote = await open()
  await remote.write('packs/a', sourceOf(bytes))
  proxy.setFaults({ corrupt: 1 })
  proxy.setRate(1)
  await expect(readBytes(remote, 'packs/a')).rejects.toMatchObject({ code: 'CORRUPT', retryable: true })
  proxy.setRate(0)
  expect((await readBytes(remote, 'packs/a')).equals(bytes)).toBe(true)
})

test('a response that breaks off before its reader has begun is gone on with', async () => {
  const bytes = someBytes(5_000_000)
  const remote = await open()
  await remote.write('packs/a', sourceOf(bytes))
  proxy.setFaults({ 'reset-midway': 1 })
  proxy.setRate(1)
  const stream = await remote.read('packs/a')
  await expect.poll(() => proxy.counts['reset-midway']).toBe(1)
  await new Promise(setImmediate)
  proxy.setRate(0)
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
})
