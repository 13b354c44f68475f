import { Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { compressRecord, encodeRootRecord, recordIdOf } from '../../../core/format/root-record.ts'
import { type RemoteTest, testRemote } from '../../../core/operations/remote-test.ts'
import type { Remote } from '../../../core/remote.ts'
import { packKey } from '../../../core/store/store-layout.ts'
import { ensureRemoteFormat } from '../../../core/transfer/objects/remote-format.ts'
import { sourceOf } from '../../../core/transfer/objects/source-of.ts'
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
  race: 'passed',
  remove: 'passed',
  throughput: 'passed',
  parallel: 'passed',
}

test('a good remote passes everything, and an empty place stays empty', async () => {
  const remote = createMemoryRemote()
  const result = await testRemote(remote, { probeBytes })
  expect(outcomes(result)).toEqual(ALL_PASSED)
  expect(result).toMatchObject({ label: 'memory', place: 'empty', placeError: undefined, probeBytes })
  expect(result.readOnly).toBe(false)
  expect(result.atOnce.requests).toBe(8)
  for (const { writeBytesPerSecond, readBytesPerSecond } of [result.one, result.atOnce]) {
    expect(writeBytesPerSecond).toBeGreaterThan(0)
    expect(readBytesPerSecond).toBeGreaterThan(0)
  }
  for (const { latencyMs, error, note } of result.checks) {
    expect(latencyMs).toBeGreaterThanOrEqual(0)
    expect(error).toBeUndefined()
    expect(note).toBeUndefined()
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
      race: 'skipped',
      remove: 'skipped',
      throughput: 'skipped',
      parallel: 'skipped',
    },
  ],
  [
    'replaces what is there',
    (good) => ({ write: (key, source) => good.write(key, source) }),
    { create: 'failed', race: 'skipped' },
  ],
  [
    'takes no notice of ranges',
    (good) => ({
      read: (key, options) => good.read(key, options?.signal ? { signal: options.signal } : {}),
    }),
    { range: 'failed', parallel: 'failed' },
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
    { read: 'failed', range: 'failed', race: 'failed', throughput: 'failed', parallel: 'skipped' },
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
  if (failing.throughput !== undefined) expect(result.one.readBytesPerSecond).toBeUndefined()
  if (failing.parallel !== undefined) expect(result.atOnce.readBytesPerSecond).toBeUndefined()
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

const raceOf = ({ checks }: RemoteTest) => checks.find(({ check }) => check === 'race')

test('a place that refuses a second creation but not one at the same moment is limited, and does not fail', async () => {
  const good = createMemoryRemote()
  const remote: Remote = {
    ...good,
    async write(key, source, { ifAbsent, ...options } = {}) {
      if (ifAbsent && (await good.stat(key)) !== undefined) {
        throw new VarveError('ALREADY_EXISTS', `${key} is there`)
      }
      await new Promise((resolve) => setImmediate(resolve))
      await good.write(key, source, options)
    },
  }
  const result = await testRemote(remote, { probeBytes })
  expect(outcomes(result)).toEqual({ ...ALL_PASSED, race: 'limited' })
  expect(raceOf(result)?.note).toContain('of 8 writers at once more than one succeeded, in 5 of 5 rounds')
  expect(await keysOf(good)).toEqual([])
})

test('writers that fail in a race, in place of being refused, are a limit too', async () => {
  const good = createMemoryRemote()
  const underWay = new Set<string>()
  const remote: Remote = {
    ...good,
    async write(key, source, options) {
      if (options?.ifAbsent && underWay.has(key)) throw new VarveError('REMOTE_FAILED', 'conflict')
      underWay.add(key)
      await good.write(key, source, options)
      underWay.delete(key)
    },
  }
  const result = await testRemote(remote, { probeBytes })
  expect(outcomes(result)).toEqual({ ...ALL_PASSED, race: 'limited' })
  expect(raceOf(result)?.note).toContain('some failed (conflict)')
})

test('a race that nobody wins, or that leaves what nobody wrote, is a failure', async () => {
  const nobody = createMemoryRemote()
  const refusing = await testRemote(
    {
      ...nobody,
      async write(key, source, options) {
        if (key.includes('raced')) throw new VarveError('REMOTE_FAILED', 'conflict')
        await nobody.write(key, source, options)
      },
    },
    { probeBytes },
  )
  expect(raceOf(refusing)).toMatchObject({ outcome: 'failed', error: { message: 'conflict' } })

  const mixing = createMemoryRemote()
  const mixed = await testRemote(
    {
      ...mixing,
      async write(key, source, options) {
        const isRaced = key.includes('raced')
        await mixing.write(key, isRaced ? sourceOf(Buffer.alloc(source.sizeBytes)) : source, options)
      },
    },
    { probeBytes },
  )
  expect(raceOf(mixed)).toMatchObject({
    outcome: 'failed',
    error: { message: expect.stringContaining('mixes') },
  })
})

/** As a web server shows it: nothing can be written, only `index/` and `roots/` are listed. */
function readOnly(good: Remote): Remote {
  const refuse = async () => {
    throw new VarveError('REMOTE_FAILED', 'read-only')
  }
  return {
    ...good,
    write: refuse,
    remove: refuse,
    async *list(prefix) {
      if (prefix !== 'index/' && prefix !== 'roots/')
        throw new VarveError('REMOTE_FAILED', `cannot list ${prefix}`)
      yield* good.list(prefix)
    },
  }
}

/** Writes a record, and gives the key of a pack that it names. */
async function writeRecord(remote: Remote, sizesBytes: number[]): Promise<string> {
  const names = sizesBytes.map((_size, index) => `${index}`.repeat(64) as PackName)
  const json = encodeRootRecord({
    kind: 'final',
    repository: 'a'.repeat(32),
    createdAt: '2025-01-01T00:00:00.000Z',
    who: '',
    commits: [],
    packs: names.map((name, index) => ({
      ...{ name, class: 'data', tailBytes: 100 },
      sizeBytes: sizesBytes[index]!,
    })),
    pointers: [],
  })
  const key = `roots/${'a'.repeat(32)}/${recordIdOf(json)}.final`
  await remote.write(key, sourceOf(compressRecord(json)))
  return packKey(names.at(-1)!)
}

test('a remote that is only read is tried with what it holds', async () => {
  const good = createMemoryRemote()
  await ensureRemoteFormat(good)
  await good.write('index/a.idx', sourceOf(Buffer.alloc(10)))
  await good.write('index/b.idx', sourceOf(Buffer.alloc(5_000_000, 'b')))
  const result = await testRemote(readOnly(good), { readOnly: true })
  const skipped = { write: 'skipped', create: 'skipped', race: 'skipped', remove: 'skipped' }
  expect(outcomes(result)).toEqual({ ...ALL_PASSED, ...skipped })
  expect(result).toMatchObject({ readOnly: true, place: 'varve', probeBytes: 5_000_000 })
  expect(result.checks.find(({ check }) => check === 'write')?.note).toContain('only read')
  for (const { writeBytesPerSecond, readBytesPerSecond } of [result.one, result.atOnce]) {
    expect(writeBytesPerSecond).toBeUndefined()
    expect(readBytesPerSecond).toBeGreaterThan(0)
  }

  const small = await testRemote(readOnly(good), { readOnly: true, probeBytes: 1000 })
  expect(outcomes(small)).toMatchObject({ throughput: 'skipped', parallel: 'skipped' })
  expect(small.probeBytes).toBe(0)
})

test('a remote that is only read is measured with the largest pack that a record names', async () => {
  const good = createMemoryRemote()
  await ensureRemoteFormat(good)
  await good.write('index/a.idx', sourceOf(Buffer.alloc(10)))
  const pack = await writeRecord(good, [4_000_000, 9 << 20])
  const missing = await testRemote(readOnly(good), { readOnly: true })
  expect(outcomes(missing)).toMatchObject({ list: 'passed', throughput: 'failed', parallel: 'skipped' })
  await good.write(pack, sourceOf(Buffer.alloc(9 << 20, 'p')))
  const read: string[] = []
  const noting: Remote = {
    ...readOnly(good),
    read: (key, options) => {
      read.push(key)
      return good.read(key, options)
    },
  }
  const result = await testRemote(noting, { readOnly: true })
  expect(result).toMatchObject({ probeBytes: 8 << 20, one: { readBytesPerSecond: expect.any(Number) } })
  expect(read.filter((key) => key === pack)).toHaveLength(1 + 8)
})

test('a remote that is only read, with nothing of 4 MiB, is not measured, and says so', async () => {
  const good = createMemoryRemote()
  await ensureRemoteFormat(good)
  await good.write('index/a.idx', sourceOf(Buffer.alloc(10)))
  await writeRecord(good, [4_000_000])
  const { checks, probeBytes } = await testRemote(readOnly(good), { readOnly: true })
  for (const name of ['throughput', 'parallel'] as const) {
    const { outcome, note } = checks.find(({ check }) => check === name)!
    expect([outcome, note]).toEqual(['skipped', expect.stringContaining('too little to measure')])
  }
  expect(probeBytes).toBe(0)
})

test('a remote that is only read, and makes up for a server without ranges, is limited', async () => {
  const good = createMemoryRemote()
  await ensureRemoteFormat(good)
  await good.write('index/a.idx', sourceOf(Buffer.alloc(5_000_000)))
  const asked: string[] = []
  const result = await testRemote(readOnly(good), {
    readOnly: true,
    honoursRanges: async (key) => {
      asked.push(key)
      return false
    },
  })
  expect(asked).toEqual(['varve.json'])
  expect(outcomes(result)).toMatchObject({ range: 'limited', throughput: 'passed', parallel: 'skipped' })
  for (const name of ['range', 'parallel'] as const) {
    const { note } = result.checks.find(({ check }) => check === name)!
    expect(note).toBe('only whole packs: the server ignores ranges')
  }
})

test('a remote that is only read, and cannot be listed or has nothing, says so', async () => {
  const good = createMemoryRemote()
  await expect(testRemote(readOnly(good), { readOnly: true })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await ensureRemoteFormat(good)
  expect(outcomes(await testRemote(readOnly(good), { readOnly: true }))).toMatchObject({
    list: 'limited',
    throughput: 'skipped',
  })
  const unlisted = {
    ...readOnly(good),
    // biome-ignore lint/correctness/useYield: it fails before its first entry
    async *list() {
      throw new VarveError('NOT_FOUND', 'no published.json')
    },
  }
  expect(outcomes(await testRemote(unlisted, { readOnly: true }))).toMatchObject({
    read: 'passed',
    list: 'failed',
  })
})
