import { randomBytes } from 'node:crypto'
import type { ByteRange, Key, Remote } from '../remote.ts'
import { readWhole } from '../transfer/objects/read-whole.ts'
import { sourceOf } from '../transfer/objects/source-of.ts'
import { answersWrongly, type RemoteChecks } from './remote-checks.ts'

/** Bytes for each second; undefined where it cannot be measured. */
export type Throughput = { writeBytesPerSecond: number | undefined; readBytesPerSecond: number | undefined }

/** As many as a pull makes. */
export const REQUESTS_AT_ONCE = 8

export const NOT_MEASURED: Throughput = { writeBytesPerSecond: undefined, readBytesPerSecond: undefined }

export type ThroughputOptions = {
  remote: Remote
  checks: RemoteChecks
  /** Of all objects together. */
  probeBytes: number
  /** A key for an object that is to be removed again. */
  newKey: (name: string) => Key
  signal: AbortSignal | undefined
}

/** Writes and reads the same number of bytes twice: as one object, then with several requests at once. */
export async function measureThroughput(
  canWrite: boolean,
  options: ThroughputOptions,
): Promise<{ one: Throughput; atOnce: Throughput }> {
  const { remote, checks, probeBytes, newKey, signal } = options
  const bytes = randomBytes(probeBytes)
  const largeKey = newKey('large')
  const measured = { one: NOT_MEASURED, atOnce: NOT_MEASURED }
  const passOn = signal && { signal }
  const ranges = splitRange(probeBytes, REQUESTS_AT_ONCE)

  const hasLarge = await checks.attemptIf(canWrite, 'throughput', async () => {
    const written = await rateOf(probeBytes, () =>
      checks.time(() => remote.write(largeKey, sourceOf(bytes), passOn)),
    )
    const read = await rateOf(probeBytes, () =>
      checks.time(() => expectBytes(remote, largeKey, { bytes, signal })),
    )
    measured.one = { writeBytesPerSecond: written, readBytesPerSecond: read }
  })
  await checks.attemptIf(hasLarge, 'parallel', async () => {
    const written = await rateOf(probeBytes, () =>
      all(ranges, async ({ start, endExclusive }, index) => {
        const key = newKey(`part-${index}`)
        await checks.time(() => remote.write(key, sourceOf(bytes.subarray(start, endExclusive)), passOn))
      }),
    )
    const read = await rateOf(probeBytes, () =>
      all(ranges, (range) => checks.time(() => expectBytes(remote, largeKey, { bytes, range, signal }))),
    )
    measured.atOnce = { writeBytesPerSecond: written, readBytesPerSecond: read }
  })
  return measured
}

/**
 * Only reads: the beginning of an object that is there, as one request and as several at once. `noParts`: why parts of it
 * cannot be read, if so.
 */
export async function measureReading(
  found: { key: Key; sizeBytes: number },
  options: Pick<ThroughputOptions, 'remote' | 'checks' | 'signal'> & { noParts: string | undefined },
): Promise<{ one: Throughput; atOnce: Throughput }> {
  const { remote, checks, signal, noParts } = options
  const { key, sizeBytes } = found
  const measured = { one: NOT_MEASURED, atOnce: NOT_MEASURED }
  const whole = { start: 0, endExclusive: sizeBytes }
  const read = (range: ByteRange) =>
    checks.time(() => readWhole(remote, key, { mostBytes: sizeBytes, range, signal }))
  let bytes: Buffer = Buffer.alloc(0)
  const isRead = await checks.attempt('throughput', async () => {
    const rate = await rateOf(sizeBytes, async () => {
      bytes = await read(whole)
    })
    if (bytes.length !== sizeBytes) throw answersWrongly('gives another number of bytes than it said')
    measured.one = { ...NOT_MEASURED, readBytesPerSecond: rate }
  })
  if (noParts !== undefined) {
    checks.skip('parallel', noParts)
    return measured
  }
  await checks.attemptIf(isRead, 'parallel', async () => {
    const rate = await rateOf(sizeBytes, () =>
      all(splitRange(sizeBytes, REQUESTS_AT_ONCE), async (range) => {
        const part = await read(range)
        if (!part.equals(bytes.subarray(range.start, range.endExclusive))) throw givesOtherBytes()
      }),
    )
    measured.atOnce = { ...NOT_MEASURED, readBytesPerSecond: rate }
  })
  return measured
}

/** @throws REMOTE_FAILED where the object has other bytes than these, or in `range` than these have there */
export async function expectBytes(
  remote: Remote,
  key: Key,
  expected: { bytes: Buffer; range?: ByteRange; signal: AbortSignal | undefined },
): Promise<void> {
  const { bytes, range, signal } = expected
  const wanted = range === undefined ? bytes : bytes.subarray(range.start, range.endExclusive)
  const read = await readWhole(remote, key, { mostBytes: bytes.length, signal, ...(range && { range }) })
  if (!read.equals(wanted)) throw givesOtherBytes()
}

function givesOtherBytes() {
  return answersWrongly('gives other bytes than were written')
}

/** Waits for all of them even where one fails, so that nothing is under way when the objects are removed. */
async function all<T>(items: readonly T[], work: (item: T, index: number) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(items.map(work))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}

function splitRange(sizeBytes: number, count: number): ByteRange[] {
  const stepBytes = Math.ceil(sizeBytes / count)
  return Array.from({ length: count }, (_, index) => ({
    start: Math.min(index * stepBytes, sizeBytes),
    endExclusive: Math.min((index + 1) * stepBytes, sizeBytes),
  })).filter(({ start, endExclusive }) => start < endExclusive)
}

async function rateOf(sizeBytes: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return Math.round((sizeBytes / (performance.now() - started)) * 1000)
}
