import { VarveError } from '../errors.ts'
import type { Key, Remote } from '../remote.ts'
import { checkRemoteFormat } from '../transfer/objects/remote-format.ts'
import { probeReadOnly } from './probe-read-only.ts'
import type { CheckResult } from './remote-checks.ts'
import { RemoteProbe } from './remote-probe.ts'
import { REQUESTS_AT_ONCE, type Throughput } from './remote-throughput.ts'

/** What is at a remote's place: a Varve remote, nothing, things of others, a Varve remote of another version. */
export type RemotePlace = 'varve' | 'empty' | 'foreign' | 'incompatible'

export type RemoteTest = {
  label: string
  place: RemotePlace
  /** Why the place is incompatible. */
  placeError: VarveError | undefined
  readOnly: boolean
  checks: CheckResult[]
  /** What was written or read to measure throughput; 0 where it was not. */
  probeBytes: number
  /** As one object, one request after the other. */
  one: Throughput
  /** The same number of bytes, with several requests at once. */
  atOnce: Throughput & { requests: number }
}

export type RemoteTestOptions = {
  signal?: AbortSignal | undefined
  probeBytes?: number
  /** By its kind. */
  readOnly?: boolean
  /** Of one that is only read: whether parts of a value are really sent alone. Reading does not always tell. */
  honoursRanges?: (key: Key) => Promise<boolean>
}

export const PROBE_BYTES = 8 << 20

/**
 * Tries every verb that Varve needs of a remote with objects of its own, `probe-…`, which it removes again; nothing
 * else there is touched, and an empty place stays empty. A remote that is `readOnly` by its kind is tried with what it
 * holds. What fails, and what the place cannot do, is part of the result.
 * @throws what makes all further questions useless: the place cannot be listed, or is read-only and has nothing to
 *   read; INTERRUPTED
 */
export async function testRemote(remote: Remote, options: RemoteTestOptions = {}): Promise<RemoteTest> {
  const { signal, probeBytes = PROBE_BYTES, readOnly = false, honoursRanges } = options
  const { place, placeError } = await lookAt(remote, readOnly)
  const about = { label: remote.label, place, placeError, readOnly }
  if (readOnly) {
    const probed = await probeReadOnly(remote, { probeBytes, signal, honoursRanges })
    const atOnce = { ...probed.atOnce, requests: REQUESTS_AT_ONCE }
    return { ...about, ...probed, checks: probed.checks.results, atOnce }
  }
  const probe = new RemoteProbe(remote, signal)
  try {
    const { one, atOnce } = await probe.run(probeBytes)
    const checks = probe.checks.results
    return { ...about, checks, probeBytes, one, atOnce: { ...atOnce, requests: REQUESTS_AT_ONCE } }
  } finally {
    await probe.cleanUp()
  }
}

async function lookAt(
  remote: Remote,
  readOnly: boolean,
): Promise<{ place: RemotePlace; placeError: VarveError | undefined }> {
  try {
    await checkRemoteFormat(remote)
    return { place: 'varve', placeError: undefined }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    if (error.code === 'TOO_NEW' || error.code === 'MALFORMED' || error.code === 'HOSTILE') {
      return { place: 'incompatible', placeError: error }
    }
    if (error.code !== 'NOT_FOUND' || readOnly) throw error
  }
  for await (const _ of remote.list('')) return { place: 'foreign', placeError: undefined }
  return { place: 'empty', placeError: undefined }
}
