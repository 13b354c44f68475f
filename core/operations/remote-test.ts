import { randomBytes } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { ByteRange, Key, Remote } from '../remote.ts'
import { readWhole } from '../transfer/read-whole.ts'
import { checkRemoteFormat, sourceOf } from '../transfer/remote-format.ts'

/** What is at a remote's place: a Varve remote, nothing, things of others, a Varve remote of another version. */
export type RemotePlace = 'varve' | 'empty' | 'foreign' | 'incompatible'

export type CheckName = 'stat' | 'write' | 'create' | 'read' | 'range' | 'list' | 'remove' | 'throughput'

export type CheckResult = {
  check: CheckName
  outcome: 'passed' | 'failed' | 'skipped'
  /** Of one request, with its bytes. */
  latencyMs: number | undefined
  error: VarveError | undefined
}

export type RemoteTest = {
  label: string
  place: RemotePlace
  /** Why the place is incompatible. */
  placeError: VarveError | undefined
  checks: CheckResult[]
  probeBytes: number
  writeBytesPerSecond: number | undefined
  readBytesPerSecond: number | undefined
}

export const PROBE_BYTES = 8 << 20
const SMALL_BYTES = 4096
const RANGE: ByteRange = { start: 1000, endExclusive: 3000 }

/**
 * Tries every verb that Varve needs of a remote with objects of its own, `probe-…`, which it removes again; nothing
 * else there is touched, and an empty place stays empty. What fails is part of the result.
 * @throws what makes all further questions useless: the place cannot be listed; INTERRUPTED
 */
export async function testRemote(
  remote: Remote,
  options: { signal?: AbortSignal | undefined; probeBytes?: number } = {},
): Promise<RemoteTest> {
  const { signal, probeBytes = PROBE_BYTES } = options
  const { place, placeError } = await lookAt(remote)
  const probe = new Probe(remote, signal)
  try {
    await probe.run()
    const { writeBytesPerSecond, readBytesPerSecond } = await probe.measure(probeBytes)
    const { checks } = probe
    return {
      label: remote.label,
      place,
      placeError,
      checks,
      probeBytes,
      writeBytesPerSecond,
      readBytesPerSecond,
    }
  } finally {
    await probe.cleanUp()
  }
}

async function lookAt(remote: Remote): Promise<{ place: RemotePlace; placeError: VarveError | undefined }> {
  try {
    await checkRemoteFormat(remote)
    return { place: 'varve', placeError: undefined }
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    if (error.code === 'TOO_NEW' || error.code === 'MALFORMED' || error.code === 'HOSTILE') {
      return { place: 'incompatible', placeError: error }
    }
    if (error.code !== 'NOT_FOUND') throw error
  }
  for await (const _ of remote.list('')) return { place: 'foreign', placeError: undefined }
  return { place: 'empty', placeError: undefined }
}

class Probe {
  readonly checks: CheckResult[] = []
  readonly #remote: Remote
  readonly #signal: AbortSignal | undefined
  readonly #prefix = `probe-${randomBytes(8).toString('hex')}`
  readonly #key: Key = `${this.#prefix}-written`
  readonly #createdKey: Key = `${this.#prefix}-created`
  readonly #largeKey: Key = `${this.#prefix}-large`
  readonly #bytes = randomBytes(SMALL_BYTES)
  readonly #unclean = new Set<Key>()
  #requests = 0
  #requestsMs = 0

  constructor(remote: Remote, signal: AbortSignal | undefined) {
    this.#remote = remote
    this.#signal = signal
  }

  async run(): Promise<void> {
    const remote = this.#remote
    const isWritten = await this.#check('write', () => this.#write(this.#key, this.#bytes))
    await this.#check('stat', async () => {
      const missing = await this.#time(() => remote.stat(`${this.#prefix}-missing`))
      if (missing !== undefined) throw answersWrongly('finds an object that nobody wrote')
      if (!isWritten) return
      const found = await this.#time(() => remote.stat(this.#key))
      if (found?.sizeBytes !== SMALL_BYTES)
        throw answersWrongly('does not find what was written, at its size')
    })
    await this.#checkIf(isWritten, 'read', () => this.#expectBytes(this.#key, this.#bytes))
    await this.#checkIf(isWritten, 'range', async () => {
      const read = await this.#read(this.#key, SMALL_BYTES, RANGE)
      const wanted = this.#bytes.subarray(RANGE.start, RANGE.endExclusive)
      if (!read.equals(wanted)) throw answersWrongly('cannot give a part of an object')
    })
    await this.#check('list', async () => {
      const found = await this.#time(() => keysOf(remote, this.#prefix))
      const wanted = isWritten ? [this.#key] : []
      if (found.join() !== wanted.join()) throw answersWrongly('lists something else than was written')
    })
    await this.#checkIf(isWritten, 'create', () => this.#createTwice())
    await this.#checkIf(isWritten, 'remove', async () => {
      await this.#time(() => remote.remove(this.#key))
      this.#unclean.delete(this.#key)
      if ((await remote.stat(this.#key)) !== undefined) throw answersWrongly('keeps what was removed')
    })
  }

  /** Bytes for each second; undefined where it cannot be measured. */
  async measure(probeBytes: number) {
    const bytes = randomBytes(probeBytes)
    const key = this.#largeKey
    let writeBytesPerSecond: number | undefined
    let readBytesPerSecond: number | undefined
    const canWrite = this.checks.some(({ check, outcome }) => check === 'write' && outcome === 'passed')
    await this.#checkIf(canWrite, 'throughput', async () => {
      const started = performance.now()
      await this.#write(key, bytes)
      const written = performance.now()
      await this.#expectBytes(key, bytes)
      writeBytesPerSecond = perSecond(probeBytes, written - started)
      readBytesPerSecond = perSecond(probeBytes, performance.now() - written)
    })
    return { writeBytesPerSecond, readBytesPerSecond }
  }

  /** Also after Ctrl-C, so without the signal. What cannot be removed was reported as such, or the place is gone. */
  async cleanUp(): Promise<void> {
    for (const key of this.#unclean) await this.#remote.remove(key).catch(() => undefined)
  }

  async #createTwice(): Promise<void> {
    const source = sourceOf(this.#bytes)
    const options = { ifAbsent: true, ...(this.#signal && { signal: this.#signal }) }
    this.#unclean.add(this.#createdKey)
    const create = () => this.#remote.write(this.#createdKey, source, options)
    await this.#time(create)
    try {
      await create()
    } catch (error) {
      if (error instanceof VarveError && error.code === 'ALREADY_EXISTS') return
      throw error
    }
    throw answersWrongly('replaces an object that was to be created only if absent')
  }

  async #write(key: Key, bytes: Buffer): Promise<void> {
    this.#unclean.add(key)
    const options = this.#signal && { signal: this.#signal }
    await this.#time(() => this.#remote.write(key, sourceOf(bytes), options))
  }

  #read(key: Key, mostBytes: number, range?: ByteRange): Promise<Buffer> {
    const options = { mostBytes, signal: this.#signal, ...(range && { range }) }
    return this.#time(() => readWhole(this.#remote, key, options))
  }

  async #expectBytes(key: Key, bytes: Buffer): Promise<void> {
    if (!(await this.#read(key, bytes.length)).equals(bytes)) {
      throw answersWrongly('gives other bytes than were written')
    }
  }

  async #time<T>(request: () => Promise<T>): Promise<T> {
    const started = performance.now()
    const answer = await request()
    this.#requestsMs += performance.now() - started
    this.#requests++
    return answer
  }

  async #checkIf(isPossible: boolean, check: CheckName, attempt: () => Promise<void>): Promise<void> {
    if (isPossible) await this.#check(check, attempt)
    else this.checks.push({ check, outcome: 'skipped', latencyMs: undefined, error: undefined })
  }

  /** Whether it passed. */
  async #check(check: CheckName, attempt: () => Promise<void>): Promise<boolean> {
    this.#requests = 0
    this.#requestsMs = 0
    try {
      await attempt()
      const latencyMs = this.#requestsMs / this.#requests
      this.checks.push({ check, outcome: 'passed', latencyMs, error: undefined })
      return true
    } catch (error) {
      if (!(error instanceof VarveError) || error.code === 'INTERRUPTED') throw error
      this.checks.push({ check, outcome: 'failed', latencyMs: undefined, error })
      return false
    }
  }
}

async function keysOf(remote: Remote, prefix: string): Promise<Key[]> {
  const keys: Key[] = []
  for await (const { key } of remote.list(prefix)) keys.push(key)
  return keys
}

function perSecond(sizeBytes: number, durationMs: number): number {
  return Math.round((sizeBytes / durationMs) * 1000)
}

function answersWrongly(what: string): VarveError {
  return new VarveError('REMOTE_FAILED', `the remote ${what}`, {
    hint: 'Use a place that keeps to this: varve relies on it.',
  })
}
