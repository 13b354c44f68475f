import { randomBytes } from 'node:crypto'
import { VarveError } from '../errors.ts'
import type { ByteRange, Key, Remote } from '../remote.ts'
import { readWhole } from '../transfer/objects/read-whole.ts'
import { sourceOf } from '../transfer/objects/source-of.ts'
import { answersWrongly, RemoteChecks } from './remote-checks.ts'
import { expectBytes, measureThroughput, type Throughput } from './remote-throughput.ts'

const SMALL_BYTES = 4096
const RANGE: ByteRange = { start: 1000, endExclusive: 3000 }
const WRITERS = 8
/** A service that does not decide such races was found out by one round in two: five miss one in thirty. */
const ROUNDS = 5

/** Tries every verb with objects of its own, `probe-…`. What fails is in `checks`. */
export class RemoteProbe {
  readonly checks = new RemoteChecks()
  readonly #remote: Remote
  readonly #signal: AbortSignal | undefined
  readonly #prefix = `probe-${randomBytes(8).toString('hex')}`
  readonly #bytes = randomBytes(SMALL_BYTES)
  readonly #unclean = new Set<Key>()

  constructor(remote: Remote, signal: AbortSignal | undefined) {
    this.#remote = remote
    this.#signal = signal
  }

  async run(probeBytes: number): Promise<{ one: Throughput; atOnce: Throughput }> {
    const { checks } = this
    const remote = this.#remote
    const signal = this.#signal
    const key = this.#newKey('written')
    const isWritten = await checks.attempt('write', () =>
      checks.time(() => remote.write(key, sourceOf(this.#bytes), signal && { signal })),
    )
    await checks.attempt('stat', async () => {
      const missing = await checks.time(() => remote.stat(`${this.#prefix}-missing`))
      if (missing !== undefined) throw answersWrongly('finds an object that nobody wrote')
      if (!isWritten) return
      const found = await checks.time(() => remote.stat(key))
      if (found?.sizeBytes !== SMALL_BYTES)
        throw answersWrongly('does not find what was written, at its size')
    })
    await checks.attemptIf(isWritten, 'read', () =>
      checks.time(() => expectBytes(remote, key, { bytes: this.#bytes, signal })),
    )
    await checks.attemptIf(isWritten, 'range', async () => {
      const options = { mostBytes: SMALL_BYTES, range: RANGE, signal }
      const read = await checks.time(() => readWhole(remote, key, options))
      const wanted = this.#bytes.subarray(RANGE.start, RANGE.endExclusive)
      if (!read.equals(wanted)) throw answersWrongly('cannot give a part of an object')
    })
    await checks.attempt('list', async () => {
      const found = await checks.time(() => keysOf(remote, this.#prefix))
      const wanted = isWritten ? [key] : []
      if (found.join() !== wanted.join()) throw answersWrongly('lists something else than was written')
    })
    const isCreated = await checks.attemptIf(isWritten, 'create', () => this.#createTwice())
    await checks.attemptIf(isCreated, 'race', () => this.#createAtOnce())
    await checks.attemptIf(isWritten, 'remove', async () => {
      await checks.time(() => remote.remove(key))
      this.#unclean.delete(key)
      if ((await remote.stat(key)) !== undefined) throw answersWrongly('keeps what was removed')
    })
    return measureThroughput(isWritten, {
      ...{ remote, checks, probeBytes, signal },
      newKey: (name) => this.#newKey(name),
    })
  }

  /** Also after Ctrl-C, so without the signal. What cannot be removed was reported as such, or the place is gone. */
  async cleanUp(): Promise<void> {
    await Promise.all([...this.#unclean].map((key) => this.#remote.remove(key).catch(() => undefined)))
  }

  #newKey(name: string): Key {
    const key = `${this.#prefix}-${name}`
    this.#unclean.add(key)
    return key
  }

  #create(key: Key, bytes: Buffer): Promise<void> {
    const options = { ifAbsent: true, ...(this.#signal && { signal: this.#signal }) }
    return this.#remote.write(key, sourceOf(bytes), options)
  }

  async #createTwice(): Promise<void> {
    const key = this.#newKey('created')
    await this.checks.time(() => this.#create(key, this.#bytes))
    try {
      await this.#create(key, this.#bytes)
    } catch (error) {
      if (error instanceof VarveError && error.code === 'ALREADY_EXISTS') return
      throw error
    }
    throw answersWrongly('replaces an object that was to be created only if absent')
  }

  /** Several writers of one key at the same moment: all but one should be refused. */
  async #createAtOnce(): Promise<string | undefined> {
    let crowded = 0
    let failure: VarveError | undefined
    for (let round = 1; round <= ROUNDS; round++) {
      const outcome = await this.#race(this.#newKey(`raced-${round}`))
      if (outcome.winners > 1) crowded++
      failure ??= outcome.failure
    }
    if (crowded > 0) {
      return `of ${WRITERS} writers at once more than one succeeded, in ${crowded} of ${ROUNDS} rounds: varve does not depend on it`
    }
    if (failure === undefined) return undefined
    return `of ${WRITERS} writers at once some failed (${failure.message}): varve does not depend on it`
  }

  /** @throws REMOTE_FAILED where what is there in the end is nobody's value */
  async #race(key: Key): Promise<{ winners: number; failure: VarveError | undefined }> {
    const values = Array.from({ length: WRITERS }, () => randomBytes(SMALL_BYTES))
    const outcomes = await Promise.allSettled(
      values.map((bytes) => this.checks.time(() => this.#create(key, bytes))),
    )
    let failure: VarveError | undefined
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue
      const error: unknown = outcome.reason
      if (!(error instanceof VarveError) || error.code === 'INTERRUPTED') throw error
      if (error.code !== 'ALREADY_EXISTS') failure ??= error
    }
    const winners = outcomes.filter(({ status }) => status === 'fulfilled').length
    // A writer whose answer was lost has won without knowing: so what counts is that somebody has.
    if (winners === 0 && failure !== undefined && (await this.#remote.stat(key)) === undefined) throw failure
    const read = await readWhole(this.#remote, key, { mostBytes: SMALL_BYTES, signal: this.#signal })
    if (values.some((bytes) => bytes.equals(read))) return { winners, failure }
    throw answersWrongly('mixes what several writers send at once')
  }
}

async function keysOf(remote: Remote, prefix: string): Promise<Key[]> {
  const keys: Key[] = []
  for await (const { key } of remote.list(prefix)) keys.push(key)
  return keys
}
