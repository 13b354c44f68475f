import { Readable } from 'node:stream'
import { beforeEach, expect, test } from 'vitest'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { type RequestCounts, withCounting } from '../../../remotes/with-counting.ts'
import { describeRemoteContract } from '../../contract/remote-contract.ts'
import { brokenSource, entriesOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'

describeRemoteContract('with counting', async () => ({
  remote: withCounting(createMemoryRemote()).remote,
  cleanUp: async () => {},
}))

const NOTHING: RequestCounts = {
  stat: 0,
  read: 0,
  write: 0,
  list: 0,
  remove: 0,
  bytesRead: 0,
  bytesWritten: 0,
}

let inner: ReturnType<typeof createMemoryRemote>
let remote: ReturnType<typeof createMemoryRemote>
let counts: RequestCounts

beforeEach(() => {
  inner = createMemoryRemote()
  ;({ remote, counts } = withCounting(inner))
})

test('nothing is counted before the first request', () => {
  expect(counts).toEqual(NOTHING)
  expect(remote.label).toBe(inner.label)
})

test('each verb is counted, and the bytes of whole and partial reads', async () => {
  await remote.write('key', sourceOf(someBytes(100_000)))
  await readBytes(remote, 'key')
  await readBytes(remote, 'key', { range: { start: 10, endExclusive: 25 } })
  await remote.stat('key')
  await entriesOf(remote, '')
  await remote.remove('key')
  expect(counts).toEqual({
    stat: 1,
    read: 2,
    write: 1,
    list: 1,
    remove: 1,
    bytesRead: 100_015,
    bytesWritten: 100_000,
  })
})

test('a failed request is a request', async () => {
  await expect(remote.read('absent')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(counts).toEqual({ ...NOTHING, read: 1 })
})

test('bytes are counted as they flow, not as they are claimed', async () => {
  const source = brokenSource({ claimedBytes: 1_000_000, bytes: someBytes(1234) })
  await expect(remote.write('key', source)).rejects.toMatchObject({ code: 'CHANGED_WHILE_READING' })
  expect(counts).toEqual({ ...NOTHING, write: 1, bytesWritten: 1234 })
})

test('bytes that are sent again count again', async () => {
  const { remote: sendingTwice, counts: counted } = withCounting({
    ...inner,
    async write(key, source, options) {
      await readAll(source.open())
      await inner.write(key, source, options)
    },
  })
  await sendingTwice.write('key', sourceOf('12345'))
  expect(counted).toEqual({ ...NOTHING, write: 1, bytesWritten: 10 })
})

test('an error of the inner stream reaches the reader', async () => {
  const { remote: breaking } = withCounting({
    ...inner,
    read: async () =>
      new Readable({
        read() {
          this.destroy(new Error('cable cut'))
        },
      }),
  })
  await expect(readBytes(breaking, 'key')).rejects.toThrow('cable cut')
})

test('a reader that leaves half-way closes the inner stream', async () => {
  let closed: Promise<void> | undefined
  const { remote: watched } = withCounting({
    ...inner,
    async read(key, options) {
      const stream = await inner.read(key, options)
      closed = new Promise((resolve) => stream.once('close', resolve))
      return stream
    },
  })
  await watched.write('key', sourceOf(someBytes(1_000_000)))
  for await (const _piece of await watched.read('key')) break
  await closed
  expect(closed).toBeDefined()
})

async function readAll(stream: Readable): Promise<void> {
  for await (const _piece of stream);
}
