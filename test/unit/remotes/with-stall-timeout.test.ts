import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { withStallTimeout } from '../../../remotes/with-stall-timeout.ts'
import { bytesOf, entriesOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const ANSWER_MS = 60_000
const FIRST_ANSWER_MS = 20_000
const WRITE_MS = 3_600_000

let inner: Remote
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  inner = createMemoryRemote()
  await inner.write('key', sourceOf(someBytes(300_000)))
})
afterEach(() => {
  vi.useRealTimers()
})

const never = () => new Promise<never>(() => undefined)

/** Lets what is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

/** Lets `ms` pass, and says whether `promise` is settled then. */
async function isSettledAfter(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let isSettled = false
  promise.then(
    () => (isSettled = true),
    () => (isSettled = true),
  )
  await settle()
  await vi.advanceTimersByTimeAsync(ms)
  await settle()
  return isSettled
}

/** Ends with the error of a stall when `ms` have passed, and not before. */
async function expectStall(promise: Promise<unknown>, ms: number, isFirst = false): Promise<void> {
  const failing = varveErrorFrom(promise)
  expect(await isSettledAfter(failing, ms - 1)).toBe(false)
  expect(await isSettledAfter(failing, 1)).toBe(true)
  const error = await failing
  expect(error).toMatchObject({ code: isFirst ? 'REMOTE_UNREACHABLE' : 'REMOTE_FAILED', retryable: true })
  const what = isFirst ? 'has not answered' : 'nothing has moved'
  expect(error.message).toContain(`${what} for ${ms / 1000} s while`)
  expect(vi.getTimerCount()).toBe(0)
}

describe('a request without an answer is ended', () => {
  const acts: [verb: string, act: (remote: Remote) => Promise<unknown>, ms: number][] = [
    ['stat', (remote) => remote.stat('key'), ANSWER_MS],
    ['read', (remote) => remote.read('key'), ANSWER_MS],
    ['write', (remote) => remote.write('key', sourceOf('x')), WRITE_MS],
    ['list', (remote) => entriesOf(remote, ''), ANSWER_MS],
    ['remove', (remote) => remote.remove('key'), ANSWER_MS],
  ]
  /** Answers nothing but where `first` is. */
  const silent: Remote = {
    label: 'silent',
    stat: (key) => (key === 'first' ? Promise.resolve(undefined) : never()),
    ...{ read: never, write: never, remove: never },
    list: () => ({ [Symbol.asyncIterator]: () => ({ next: never }) }),
  }
  test.each(acts)('%s', async (_verb, act, ms) => {
    const remote = withStallTimeout(silent)
    await remote.stat('first')
    await expectStall(act(remote), ms)
  })

  test.each(acts.filter(([verb]) => verb !== 'write'))(
    '%s, sooner where the host has never answered',
    async (_verb, act) => {
      await expectStall(act(withStallTimeout(silent)), FIRST_ANSWER_MS, true)
    },
  )

  test('a refusal is an answer', async () => {
    const remote = withStallTimeout({ ...silent, read: inner.read })
    await expect(remote.read('absent')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expectStall(remote.stat('key'), ANSWER_MS)
  })

  test('and told so through its signal', async () => {
    const signals: (AbortSignal | undefined)[] = []
    const silent: Remote = {
      ...inner,
      read(_key, options) {
        signals.push(options?.signal)
        return never()
      },
      write(_key, _source, options) {
        signals.push(options?.signal)
        return never()
      },
    }
    const remote = withStallTimeout(silent)
    await remote.stat('key')
    await expectStall(remote.read('key'), ANSWER_MS)
    await expectStall(remote.write('key', sourceOf('x')), WRITE_MS)
    for (const signal of signals) expect(signal?.reason).toMatchObject({ code: 'REMOTE_FAILED' })
    expect(signals).toHaveLength(2)
  })
})

test('what is answered leaves no timer behind', async () => {
  const remote = withStallTimeout(inner)
  await remote.stat('key')
  await remote.write('other', sourceOf('x'))
  await entriesOf(remote, '')
  await remote.remove('other')
  await readBytes(remote, 'key')
  await expect(remote.read('absent')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(remote.write('other', { ...sourceOf('x'), sizeBytes: 2 })).rejects.toThrow()
  for await (const _entry of remote.list('')) break
  for await (const _piece of await remote.read('key')) break
  const unread = await remote.read('key')
  unread.destroy()
  await once(unread, 'close')
  await settle()
  expect(vi.getTimerCount()).toBe(0)
})

describe('a read', () => {
  let body: PassThrough
  let remote: Remote
  beforeEach(() => {
    body = new PassThrough()
    remote = withStallTimeout({ ...inner, read: async () => body })
  })

  test('that never gives a byte is ended', async () => {
    await expectStall(bytesOf(await remote.read('key')), ANSWER_MS)
    expect(body.destroyed).toBe(true)
  })

  test('that stalls half-way is ended', async () => {
    const reading = bytesOf(await remote.read('key'))
    body.write('first')
    expect(await isSettledAfter(reading, ANSWER_MS - 1)).toBe(false)
    body.write('second')
    await expectStall(reading, ANSWER_MS)
    expect(body.destroyed).toBe(true)
  })

  test('that is slow, but moves, is not ended', async () => {
    const reading = bytesOf(await remote.read('key'))
    for (let piece = 0; piece < 10; piece++) {
      expect(await isSettledAfter(reading, ANSWER_MS - 1)).toBe(false)
      body.write('x')
    }
    body.end()
    expect((await reading).toString()).toBe('xxxxxxxxxx')
  })

  test('whose reader is slow is not ended', async () => {
    const whole = withStallTimeout(inner)
    let bytes = 0
    for await (const piece of await whole.read('key')) {
      bytes += piece.length
      await vi.advanceTimersByTimeAsync(10 * ANSWER_MS)
    }
    expect(bytes).toBe(300_000)
  })

  test('that is not begun is not ended', async () => {
    const stream = await remote.read('key')
    await vi.advanceTimersByTimeAsync(10 * ANSWER_MS)
    body.end('late')
    expect((await bytesOf(stream)).toString()).toBe('late')
  })

  test('that its reader leaves while it waits ends at once', async () => {
    const stream = await remote.read('key')
    stream.resume()
    await settle()
    stream.destroy()
    await once(stream, 'close')
    expect(body.destroyed).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that breaks before its reader has begun tells it then', async () => {
    const stream = await remote.read('key')
    body.destroy(new Error('cable cut'))
    await settle()
    await expect(bytesOf(stream)).rejects.toThrow('cable cut')
  })
})

describe('a write', () => {
  /** Reads the source to its end, as remotes do. */
  const reading: Partial<Remote> = {
    write: async (_key, source, options) => {
      const stream = source.open()
      options?.signal?.addEventListener('abort', () => stream.destroy(new Error('aborted')))
      await bytesOf(stream)
    },
  }

  test('of which no byte goes is ended, and its source closed', async () => {
    const source = new PassThrough()
    const remote = withStallTimeout({ ...inner, ...reading })
    const writing = remote.write('key', { sizeBytes: 10, open: () => source })
    source.write('x')
    await expectStall(writing, WRITE_MS)
    await settle()
    expect(source.destroyed).toBe(true)
  })

  test('that is slow, but moves, is not ended', async () => {
    const source = new PassThrough()
    const remote = withStallTimeout({ ...inner, ...reading })
    const writing = remote.write('key', { sizeBytes: 5, open: () => source })
    for (let piece = 0; piece < 5; piece++) {
      expect(await isSettledAfter(writing, WRITE_MS - 1)).toBe(false)
      source.write('x')
    }
    source.end()
    await writing
  })

  test('passes on the error of its source', async () => {
    const source = new PassThrough()
    const writing = withStallTimeout(inner).write('key', { sizeBytes: 5, open: () => source })
    await settle()
    source.destroy(new Error('disk on fire'))
    await expect(writing).rejects.toThrow('disk on fire')
  })
})

describe('an interruption from outside', () => {
  test('stays one, of a read', async () => {
    const controller = new AbortController()
    const stream = await withStallTimeout(inner).read('key', { signal: controller.signal })
    const reading = (async () => {
      for await (const _piece of stream) controller.abort()
    })()
    await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  test('stays one, of a write', async () => {
    const controller = new AbortController()
    const source = new PassThrough()
    const options = { signal: controller.signal }
    const writing = withStallTimeout(inner).write('key', { sizeBytes: 5, open: () => source }, options)
    await settle()
    controller.abort()
    await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
  })

  test('that came before stays one', async () => {
    const remote = withStallTimeout(inner)
    const signal = AbortSignal.abort()
    await expect(remote.read('key', { signal })).rejects.toMatchObject({ code: 'INTERRUPTED' })
    const writing = remote.write('key', sourceOf('x'), { signal })
    await expect(writing).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('may end many requests, and leaves no listener behind', async () => {
    const warnings: Error[] = []
    const listener = (warning: Error) => warnings.push(warning)
    process.on('warning', listener)
    try {
      const { signal } = new AbortController()
      const add = vi.spyOn(signal, 'addEventListener')
      const remove = vi.spyOn(signal, 'removeEventListener')
      const remote = withStallTimeout(inner)
      await Promise.all(Array.from({ length: 20 }, () => readBytes(remote, 'key', { signal })))
      await Promise.all(Array.from({ length: 20 }, () => remote.write('key', sourceOf('x'), { signal })))
      await settle()
      expect(warnings).toEqual([])
      expect(add).toHaveBeenCalledTimes(40)
      const forgotten = new Set(remove.mock.calls.map(([, listened]) => listened))
      for (const [, listened] of add.mock.calls) expect(forgotten).toContain(listened)
    } finally {
      process.off('warning', listener)
    }
  })
})
