import type { Key, Remote } from '../remote.ts'
import { readWhole } from '../transfer/objects/read-whole.ts'
import { FORMAT_KEY, MAX_FORMAT_BYTES } from '../transfer/objects/remote-format.ts'
import { type FoundObject, largestObject } from './largest-object.ts'
import { answersWrongly, RemoteChecks } from './remote-checks.ts'
import { measureReading, NOT_MEASURED, type Throughput } from './remote-throughput.ts'

const NOTE = 'this kind of remote is only read'
const WITHOUT_RANGES = 'only whole packs: the server ignores ranges'
/** Of less, what is measured is the waiting. */
const LEAST_BYTES = 4 << 20
const TOO_LITTLE = 'too little to measure: no object that can be found there has 4 MiB'

type ReadOnlyOptions = {
  probeBytes: number
  signal: AbortSignal | undefined
  honoursRanges: ((key: Key) => Promise<boolean>) | undefined
}

/**
 * Tries the reading verbs with what a Varve remote has: its first object, its index, and the largest object that what is
 * listed leads to.
 */
export async function probeReadOnly(
  remote: Remote,
  options: ReadOnlyOptions,
): Promise<{ checks: RemoteChecks; one: Throughput; atOnce: Throughput; probeBytes: number }> {
  const { signal, honoursRanges } = options
  const checks = new RemoteChecks()
  for (const check of ['write', 'create', 'race', 'remove'] as const) checks.skip(check, NOTE)

  let whole: Buffer = Buffer.alloc(0)
  const isRead = await checks.attempt('read', async () => {
    whole = await checks.time(() => readWhole(remote, FORMAT_KEY, { mostBytes: MAX_FORMAT_BYTES, signal }))
  })
  await checks.attempt('stat', async () => {
    const missing = await checks.time(() => remote.stat('probe-missing'))
    if (missing !== undefined) throw answersWrongly('finds an object that nobody wrote')
    const found = await checks.time(() => remote.stat(FORMAT_KEY))
    if (isRead && found?.sizeBytes !== whole.length)
      throw answersWrongly('does not tell the size of an object')
  })
  let hasRanges = true
  await checks.attemptIf(isRead, 'range', async () => {
    const range = { start: 1, endExclusive: whole.length - 1 }
    const part = await checks.time(() =>
      readWhole(remote, FORMAT_KEY, { mostBytes: whole.length, range, signal }),
    )
    if (!part.equals(whole.subarray(range.start, range.endExclusive))) {
      throw answersWrongly('cannot give a part of an object')
    }
    hasRanges = (await honoursRanges?.(FORMAT_KEY)) ?? true
    return hasRanges ? undefined : WITHOUT_RANGES
  })
  let largest: FoundObject | undefined
  await checks.attempt('list', async () => {
    const listed: FoundObject[] = []
    await checks.time(async () => {
      for await (const entry of remote.list('index/')) listed.push(entry)
    })
    largest = await largestObject(remote, listed, { enoughBytes: options.probeBytes, signal })
    return listed.length === 0 ? 'no index is listed: nothing was pushed there yet' : undefined
  })
  const probeBytes = Math.min(options.probeBytes, largest?.sizeBytes ?? 0)
  if (largest === undefined || probeBytes < LEAST_BYTES) {
    for (const check of ['throughput', 'parallel'] as const) checks.skip(check, TOO_LITTLE)
    return { checks, one: NOT_MEASURED, atOnce: NOT_MEASURED, probeBytes: 0 }
  }
  const found = { key: largest.key, sizeBytes: probeBytes }
  const noParts = hasRanges ? undefined : WITHOUT_RANGES
  return { checks, ...(await measureReading(found, { remote, checks, signal, noParts })), probeBytes }
}
