import { once } from 'node:events'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import type { Remote } from '../../../core/remote.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { type RetryOptions, withRetry } from '../../../remotes/with-retry.ts'
import { bytesOf, entriesOf, keysOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'
import { createFaultyRemote, type Faults, passingError } from '../../support/faulty-remote.ts'

/** Each wait that was asked for; it takes no time unless `isReal`. */
const waits = vi.hoisted(() => ({ delays: [] as number[], isReal: false }))
vi.mock('node:timers/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:timers/promises')>()
  return {
    ...original,
    setTimeout: (delayMs: number, value: unknown, options?: { signal?: AbortSignal }) => {
      waits.delays.push(delayMs)
      return original.setTimeout(waits.isReal ? delayMs : 0, value, options)
    },
  }
})

let inner: Remote
beforeEach(() => {
  inner = createMemoryRemote()
})
afterEach(() => {
  waits.delays.length = 0
  waits.isReal = false
})

const permanent = new VarveError('NO_PERMISSION', 'not allowed')

function faulty(faults: Faults, options: RetryOptions = { random: () => 1 }) {
  const remote = createFaultyRemote(inner, faults)
  return { remote: withRetry(remote, options), calls: remote.calls }
}

const verbs: [verb: string, act: (remote: Remote) => Promise<unknown>][] = [
  ['stat', (remote) => remote.stat('key')],
  ['read', (remote) => readBytes(remote, 'key')],
  ['write', (remote) => remote.write('key', sourceOf('value'))],
  ['list', (remote) => entriesOf(remote, '')],
  ['remove', (remote) => remote.remove('key')],
]

describe.each(verbs)('%s', (_verb, act) => {
  beforeEach(() => inner.write('key', sourceOf('value')))

  test('is made again until it succeeds', async () => {
    const { remote, calls } = faulty({ fail: ({ attempt }) => (attempt < 8 ? passingError() : undefined) })
    await act(remote)
    expect(calls).toHaveLength(8)
  })

  test('fails with its own error after eight attempts, with waits that double up to 20 s', async () => {
    const error = passingError()
    const { remote, calls } = faulty({ fail: () => error })
    await expect(act(remote)).rejects.toBe(error)
    expect(calls).toHaveLength(8)
    expect(waits.delays).toEqual([250, 500, 1000, 2000, 4000, 8000, 16_000])
  })

  test('is not made again after an error that stays', async () => {
    const { remote, calls } = faulty({ fail: () => permanent })
    await expect(act(remote)).rejects.toBe(permanent)
    expect(calls).toHaveLength(1)
  })

  test('is not made again after an error of the program', async () => {
    const bug = new TypeError('undefined is not a function')
    const { remote, calls } = faulty({ fail: () => bug })
    await expect(act(remote)).rejects.toBe(bug)
    expect(calls).toHaveLength(1)
  })

  test('is tried three times where nothing was ever reached', async () => {
    const { remote, calls } = faulty({ fail: () => passingError('REMOTE_UNREACHABLE') })
    await expect(act(remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
    expect(calls).toHaveLength(3)
  })

  test('is tried as often as others once there was an answer', async () => {
    let isReachable = true
    const { remote, calls } = faulty({
      fail: () => (isReachable ? undefined : passingError('REMOTE_UNREACHABLE')),
    })
    await act(remote)
    isReachable = false
    calls.length = 0
    await expect(act(remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
    expect(calls).toHaveLength(8)
  })
})

test.each(['NOT_FOUND', 'ALREADY_EXISTS', 'NO_PERMISSION'] as const)('%s is an answer', async (code) => {
  const { remote, calls } = faulty({
    fail: ({ key }) => (key === 'first' ? new VarveError(code, 'no') : passingError('REMOTE_UNREACHABLE')),
  })
  await expect(remote.stat('first')).rejects.toMatchObject({ code })
  await expect(remote.stat('key')).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
  expect(calls.filter(({ key }) => key === 'key')).toHaveLength(8)
})

test('each wait is a random part of the longest, and told before it begins', async () => {
  const parts = [0.5, 0, 0.999, 0.25, 0.1, 1, 0.5]
  const told: number[] = []
  const { remote } = faulty(
    { fail: () => passingError() },
    {
      ...{ baseDelayMs: 100, mostDelayMs: 1000, random: () => parts[told.length]! },
      onRetry: (error, { delayMs, failures }) => {
        expect(failures).toBe(told.length + 1)
        expect(error.code).toBe('REMOTE_FAILED')
        expect(waits.delays).toHaveLength(told.length)
        told.push(delayMs)
      },
    },
  )
  await expect(remote.stat('key')).rejects.toThrow()
  expect(told).toEqual([50, 0, 399.6, 200, 100, 1000, 500])
  expect(waits.delays).toEqual(told)
})

describe('a read that breaks off', () => {
  const bytes = someBytes(1_000_000)
  beforeEach(() => inner.write('packs/ab/x', sourceOf(bytes)))

  test('goes on where it was, each time', async () => {
    const { remote, calls } = faulty({
      breakOff: ({ attempt }) => (attempt < 20 ? { after: 50_001, error: passingError() } : undefined),
    })
    expect((await readBytes(remote, 'packs/ab/x')).equals(bytes)).toBe(true)
    const starts = calls.map(({ range }) => range?.start ?? 0)
    expect(starts).toEqual(Array.from({ length: 20 }, (_, at) => at * 50_001))
    // What makes progress is not given up, and its waits begin anew.
    expect(new Set(waits.delays)).toEqual(new Set([250]))
  })

  test('goes on within the range that was asked', async () => {
    const { remote, calls } = faulty({
      breakOff: ({ attempt }) => (attempt < 4 ? { after: 100_000, error: passingError() } : undefined),
    })
    const range = { start: 333, endExclusive: 600_000 }
    const part = await readBytes(remote, 'packs/ab/x', { range })
    expect(part.equals(bytes.subarray(range.start, range.endExclusive))).toBe(true)
    expect(calls.map((call) => call.range)).toEqual(
      [333, 100_333, 200_333, 300_333].map((start) => ({ start, endExclusive: 600_000 })),
    )
  })

  test('after its last byte asks for nothing that is not there', async () => {
    const { remote, calls } = faulty({
      breakOff: ({ attempt }) => (attempt === 1 ? { after: 600, error: passingError() } : undefined),
    })
    const range = { start: 400, endExclusive: 1000 }
    expect((await readBytes(remote, 'packs/ab/x', { range })).equals(bytes.subarray(400, 1000))).toBe(true)
    expect(calls).toHaveLength(1)
  })

  test('may also fail to begin again', async () => {
    const { remote } = faulty({
      fail: ({ attempt }) => (attempt % 3 === 0 ? undefined : passingError()),
      breakOff: ({ attempt }) => (attempt < 30 ? { after: 300_000, error: passingError() } : undefined),
    })
    expect((await readBytes(remote, 'packs/ab/x')).equals(bytes)).toBe(true)
  })

  test('at the same byte for ever is given up', async () => {
    const { remote, calls } = faulty({
      breakOff: ({ attempt }) => ({ after: attempt === 1 ? 1000 : 0, error: passingError() }),
    })
    await expect(readBytes(remote, 'packs/ab/x')).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
    expect(calls).toHaveLength(8)
  })

  test('with an error that stays is not begun again', async () => {
    const { remote, calls } = faulty({ breakOff: () => ({ after: 1000, error: permanent }) })
    await expect(readBytes(remote, 'packs/ab/x')).rejects.toBe(permanent)
    expect(calls).toHaveLength(1)
  })

  test('because its bytes are damaged is told, since they were given already', async () => {
    const { remote, calls } = faulty({
      breakOff: () => ({ after: 1_000_000, error: passingError('CORRUPT') }),
    })
    await expect(readBytes(remote, 'packs/ab/x')).rejects.toMatchObject({ code: 'CORRUPT' })
    expect(calls).toHaveLength(1)
  })

  test('of published.json is not joined to what may be another value', async () => {
    await inner.write('published.json', sourceOf(bytes))
    const { remote, calls } = faulty({ breakOff: () => ({ after: 1000, error: passingError() }) })
    await expect(readBytes(remote, 'published.json')).rejects.toMatchObject({ retryable: true })
    expect(calls).toHaveLength(1)
  })

  test('before its reader has begun is told when it begins', async () => {
    let attempts = 0
    const remote = withRetry({
      ...inner,
      read: async (key, options) => {
        if (attempts++ > 0) return inner.read(key, options)
        const broken = new Readable({ read: () => undefined })
        broken.destroy(passingError())
        return broken
      },
    })
    const stream = await remote.read('packs/ab/x')
    await new Promise(setImmediate)
    expect((await bytesOf(stream)).equals(bytes)).toBe(true)
  })
})

describe('a reader that goes away', () => {
  /** Streams that were opened and never closed. */
  const open = new Set<Readable>()
  let watched: Remote
  beforeEach(async () => {
    open.clear()
    await inner.write('key', sourceOf(someBytes(1_000_000)))
    watched = {
      ...inner,
      async read(key, options) {
        const stream = await inner.read(key, options)
        open.add(stream)
        stream.once('close', () => open.delete(stream))
        return stream
      },
    }
  })

  test('before the first piece ends the request', async () => {
    const stream = await withRetry(watched).read('key')
    stream.destroy()
    await once(stream, 'close')
    expect(open.size).toBe(0)
  })

  test('half-way ends the request', async () => {
    for await (const _piece of await withRetry(watched).read('key')) break
    await new Promise(setImmediate)
    expect(open.size).toBe(0)
  })

  test('while a piece is awaited ends the request at once', async () => {
    const stalling = new Readable({ read: () => undefined })
    const stream = await withRetry({ ...inner, read: async () => stalling }).read('key')
    stream.resume()
    await new Promise(setImmediate)
    stream.destroy()
    await once(stream, 'close')
    expect(stalling.destroyed).toBe(true)
  })

  test('during a wait ends it, and nothing is asked for again', async () => {
    waits.isReal = true
    const remote = createFaultyRemote(inner, {
      breakOff: () => ({ after: 1000, error: passingError() }),
    })
    let stream: Readable | undefined
    const onRetry = () => void setImmediate(() => stream?.destroy())
    stream = await withRetry(remote, { baseDelayMs: 600_000, random: () => 1, onRetry }).read('key')
    stream.resume()
    await once(stream, 'close')
    expect(remote.calls).toHaveLength(1)
  })
})

describe('a listing that breaks off', () => {
  const keys = Array.from({ length: 30 }, (_, at) => `packs/${String(at).padStart(2, '0')}`)
  beforeEach(async () => {
    for (const key of keys) await inner.write(key, sourceOf('x'))
  })

  test('begins again and gives no entry twice', async () => {
    const { remote, calls } = faulty({
      breakOff: ({ attempt }) => (attempt < 11 ? { after: attempt * 2, error: passingError() } : undefined),
    })
    const entries = await entriesOf(remote, 'packs/')
    expect(entries.map(({ key }) => key)).toEqual(keys)
    expect(calls).toHaveLength(11)
  })

  test('always at the same place is given up', async () => {
    const { remote, calls } = faulty({ breakOff: () => ({ after: 7, error: passingError() }) })
    await expect(entriesOf(remote, '')).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
    expect(calls).toHaveLength(8)
  })

  test('is not begun again for who has left it', async () => {
    const { remote, calls } = faulty({ breakOff: () => ({ after: 7, error: passingError() }) })
    for await (const _entry of remote.list('')) break
    expect(calls).toHaveLength(1)
  })
})

describe('write', () => {
  test('opens the source again for each attempt', async () => {
    let opened = 0
    const value = sourceOf('value')
    const open = () => {
      opened++
      return value.open()
    }
    const { remote } = faulty({ failAfter: ({ attempt }) => (attempt < 3 ? passingError() : undefined) })
    await remote.write('key', { sizeBytes: 5, open })
    expect(opened).toBe(3)
    expect((await readBytes(inner, 'key')).toString()).toBe('value')
  })

  test('"if absent" whose answer was lost finds its own value', async () => {
    const { remote } = faulty({ failAfter: () => passingError() })
    const writing = remote.write('key', sourceOf('value'), { ifAbsent: true })
    await expect(writing).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await keysOf(inner, '')).toEqual(['key'])
  })

  test('passes a source that changed on to the caller', async () => {
    const { remote, calls } = faulty({})
    const writing = remote.write('key', { ...sourceOf('value'), sizeBytes: 6 })
    await expect(writing).rejects.toMatchObject({ code: 'CHANGED_WHILE_READING' })
    expect(calls).toHaveLength(1)
  })
})

describe('an interruption during a wait', () => {
  test.each(['read', 'write'] as const)('ends a %s at once', async (verb) => {
    waits.isReal = true
    await inner.write('key', sourceOf('x'))
    const controller = new AbortController()
    const { signal } = controller
    const { remote, calls } = faulty(
      { fail: () => passingError() },
      { baseDelayMs: 600_000, random: () => 1, onRetry: () => setImmediate(() => controller.abort()) },
    )
    const acting =
      verb === 'read' ? remote.read('key', { signal }) : remote.write('key', sourceOf('y'), { signal })
    await expect(acting).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(calls).toHaveLength(1)
  })

  test('ends a read that broke off half-way', async () => {
    waits.isReal = true
    await inner.write('key', sourceOf(someBytes(500_000)))
    const controller = new AbortController()
    const { remote, calls } = faulty(
      { breakOff: () => ({ after: 1000, error: passingError() }) },
      { baseDelayMs: 600_000, random: () => 1, onRetry: () => setImmediate(() => controller.abort()) },
    )
    const reading = readBytes(remote, 'key', { signal: controller.signal })
    await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' })
    expect(calls).toHaveLength(1)
  })
})

test('one signal may end many requests without a warning', async () => {
  const warnings: Error[] = []
  const listener = (warning: Error) => warnings.push(warning)
  process.on('warning', listener)
  try {
    const { signal } = new AbortController()
    const { remote } = faulty({ fail: ({ attempt }) => (attempt < 40 ? passingError() : undefined) })
    const writes = Array.from({ length: 40 }, () => remote.write('key', sourceOf('x'), { signal }))
    await Promise.all(writes)
    await new Promise(setImmediate)
    expect(warnings).toEqual([])
  } finally {
    process.off('warning', listener)
  }
})
