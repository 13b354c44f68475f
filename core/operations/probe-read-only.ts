import type { Key, Remote } from '../remote.ts'
import { readWhole } from '../transfer/objects/read-whole.ts'
import { FORMAT_KEY, MAX_FORMAT_BYTES } from '../transfer/objects/remote-format.ts'
import { answersWrongly, RemoteChecks } from './remote-checks.ts'
import { measureReading, NOT_MEASURED, type Throughput } from './remote-throughput.ts'

const NOTE = 'this kind of remote is only read'
/** Of less, what is measured is the waiting. */
const LEAST_BYTES = 256 << 10

/** Tries the reading verbs with what a Varve remote has: its first object, its index, the largest object that is listed. */
export async function probeReadOnly(
  remote: Remote,
  options: { probeBytes: number; signal: AbortSignal | undefined },
): Promise<{ checks: RemoteChecks; one: Throughput; atOnce: Throughput; probeBytes: number }> {
  const { signal } = options
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
  await checks.attemptIf(isRead, 'range', async () => {
    const range = { start: 1, endExclusive: whole.length - 1 }
    const part = await checks.time(() =>
      readWhole(remote, FORMAT_KEY, { mostBytes: whole.length, range, signal }),
    )
    if (!part.equals(whole.subarray(range.start, range.endExclusive))) {
      throw answersWrongly('cannot give a part of an object')
    }
  })
  const listed: { key: Key; sizeBytes: number }[] = []
  await checks.attempt('list', async () => {
    await checks.time(async () => {
      for await (const entry of remote.list('index/')) listed.push(entry)
    })
    return listed.length === 0 ? 'no index is listed: nothing was pushed there yet' : undefined
  })
  const largest = listed.reduce<(typeof listed)[number] | undefined>(
    (best, entry) => (entry.sizeBytes > (best?.sizeBytes ?? 0) ? entry : best),
    undefined,
  )
  const probeBytes = Math.min(options.probeBytes, largest?.sizeBytes ?? 0)
  if (largest === undefined || probeBytes < LEAST_BYTES) {
    for (const check of ['throughput', 'parallel'] as const) {
      checks.skip(check, 'nothing that is listed is large enough to measure')
    }
    return { checks, one: NOT_MEASURED, atOnce: NOT_MEASURED, probeBytes: 0 }
  }
  const found = { key: largest.key, sizeBytes: probeBytes }
  return { checks, ...(await measureReading(found, { remote, checks, signal })), probeBytes }
}
