import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import { type RemoteTest, testRemote } from '../../../core/operations/remote-test.ts'
import type { Remote } from '../../../core/remote.ts'
import { ensureRemoteFormat, sourceOf } from '../../../core/transfer/remote-format.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'

const probeBytes = 100_000

async function keysOf(remote: Remote): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of remote.list('')) keys.push(key)
  return keys
}

function outcomes({ checks }: RemoteTest): Record<string, string> {
  return Object.fromEntries(checks.map(({ check, outcome }) => [check, outcome]))
}

const ALL_PASSED = {
  write: 'passed',
  stat: 'passed',
  read: 'passed',
  range: 'passed',
  list: 'passed',
  create: 'passed',
  remove: 'passed',
  throughput: 'passed',
}

test('a good remote passes everything, and an empty place stays empty', async () => {
  const remote = createMemoryRemote()
  const result = await testRemote(remote, { probeBytes })
  expect(outcomes(result)).toEqual(ALL_PASSED)
  expect(result).toMatchObject({ label: 'memory', place: 'empty', placeError: undefined, probeBytes })
  expect(result.writeBytesPerSecond).toBeGreaterThan(0)
  expect(result.readBytesPerSecond).toBeGreaterThan(0)
  for (const { latencyMs, error } of result.checks) {
    expect(latencyMs).toBeGreaterThanOrEqual(0)
    expect(error).toBeUndefined()
  }
  expect(await keysOf(remote)).toEqual([])
})

test('it says what is at the place, and touches none of it', async () => {
  const varve = createMemoryRemote()
  await ensureRemoteFormat(varve)
  expect(await testRemote(varve, { probeBytes })).toMatchObject({ place: 'varve', placeError: undefined })
  expect(await keysOf(varve)).toEqual(['varve.json'])

  const foreign = createMemoryRemote()
  await foreign.write('photos/a.jpg', sourceOf(Buffer.from('x')))
  const result = await testRemote(foreign, { probeBytes })
  expect(result.place).toBe('foreign')
  expect(outcomes(result)).toEqual(ALL_PASSED)
  expect(await keysOf(foreign)).toEqual(['photos/a.jpg'])

  for (const [text, code] of [
    ['{"version":99}', 'TOO_NEW'],
    ['nonsense', 'MALFORMED'],
  ] as const) {
    const incompatible = createMemoryRemote()
    await incompatible.write('varve.json', sourceOf(Buffer.from(text)))
    expect(await testRemote(incompatible, { probeBytes })).toMatchObject({
      place: 'incompatible',
      placeError: { code },
    })
  }
})

/** A remote that is bad in one way, and what fails because of it. */
const faults: [string, (good: Remote) => Partial<Remote>, Record<string, string>][] = [
  [
    'refuses writes',
    () => ({
      write: async (key) => {
        throw new VarveError('NO_PERMISSION', `permission denied while writing ${key}`)
      },
    }),
    {
      write: 'failed',
      read: 'skipped',
      range: 'skipped',
      create: 'skipped',
      remove: 'skipped',
      throughput: 'skipped',
    },
  ],
  [
    'replaces what is there',
    (good) => ({ write: (key, source) => good.write(key, source) }),
    { create: 'failed' },
  ],
  [
    'takes no notice of ranges',
    (good) => ({
      read: (key, options) => good.read(key, options?.signal ? { signal: options.signal } : {}),
    }),
    { range: 'failed' },
  ],
  [
    'alters bytes',
    (good) => ({
      read: async (key, options) => {
        if (key === 'varve.json') return good.read(key, options)
        const parts: Buffer[] = []
        for await (const part of await good.read(key, options)) parts.push(part as Buffer)
        const bytes = Buffer.concat(parts)
        bytes[0]! ^= 1
        return Readable.from([bytes])
      },
    }),
    { read: 'failed', range: 'failed', throughput: 'failed' },
  ],
  [
    'lists nothing',
    () => ({
      async *list() {},
    }),
    { list: 'failed' },
  ],
  ['finds nothing', () => ({ stat: async () => undefined }), { stat: 'failed' }],
  ['keeps what is removed', () => ({ remove: async () => {} }), { remove: 'failed' }],
  [
    'finds what was never there',
    () => ({ stat: async (key) => ({ key, sizeBytes: 4096, modifiedAt: new Date() }) }),
    { stat: 'failed', remove: 'failed' },
  ],
]

test.each(faults)('a remote that %s is found out', async (what, faultOf, failing) => {
  const good = createMemoryRemote()
  const result = await testRemote({ ...good, ...faultOf(good) }, { probeBytes })
  expect(outcomes(result)).toEqual({ ...ALL_PASSED, ...failing })
  for (const { outcome, error, latencyMs } of result.checks) {
    expect(error instanceof VarveError).toBe(outcome === 'failed')
    expect(latencyMs === undefined).toBe(outcome !== 'passed')
  }
  if (failing.throughput !== undefined) expect(result.readBytesPerSecond).toBeUndefined()
  if (what !== 'keeps what is removed') expect(await keysOf(good)).toEqual([])
})

test('a place that cannot be reached is an error, not a report', async () => {
  const down = new VarveError('REMOTE_FAILED', 'down')
  const remote = {
    ...createMemoryRemote(),
    read: async () => {
      throw down
    },
  }
  await expect(testRemote(remote, { probeBytes })).rejects.toBe(down)
})

test('an interruption ends it, and its objects are removed', async () => {
  const good = createMemoryRemote()
  const controller = new AbortController()
  const remote: Remote = {
    ...good,
    async read(key, options) {
      if (key !== 'varve.json') controller.abort()
      return good.read(key, options)
    },
  }
  await expect(testRemote(remote, { signal: controller.signal, probeBytes })).rejects.toMatchObject({
    code: 'INTERRUPTED',
  })
  expect(await keysOf(good)).toEqual([])
})
