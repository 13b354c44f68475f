import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { VarveError } from '../core/errors.ts'
import type { Key, Remote } from '../core/remote.ts'
import { followSignal } from './follow-signal.ts'
import { throwIfAborted } from './interruption.ts'
import { streamOfPieces } from './stream-of-pieces.ts'

/** Before a request that has failed `failures` times is made again. */
export type OnRetry = (error: VarveError, retry: { delayMs: number; failures: number }) => void

export type RetryOptions = {
  /** Of one request, the first one counted. */
  attempts?: number
  /** The longest wait before the second attempt; it doubles with each one more. */
  baseDelayMs?: number
  /** No wait is longer. */
  mostDelayMs?: number
  /** From 0 to 1; tests hand in their own. */
  random?: () => number
  onRetry?: OnRetry | undefined
}

/** Where there was no answer yet, the address is more likely wrong than the network shaky. */
const ATTEMPTS_TO_REACH = 3
/** That the other side was reached, these say too. */
const ANSWERS: ReadonlySet<string> = new Set(['NOT_FOUND', 'ALREADY_EXISTS', 'NO_PERMISSION', 'REMOTE_BUSY'])
/** The one value that is replaced: what is left of a read must not be joined to another one's end. */
const REPLACED_KEY: Key = 'published.json'

/**
 * Makes a request again when it fails in a way that may pass, after a random part of a wait that doubles each time
 * (exponential back-off with full jitter: M. Brooker, "Exponential Backoff and Jitter", 2015). A read that breaks off
 * goes on where it was; a listing that breaks off begins again and gives no entry twice. A write "if absent" whose
 * answer was lost may find its own value: ALREADY_EXISTS.
 */
export function withRetry(inner: Remote, options: RetryOptions = {}): Remote {
  const { attempts = 8, baseDelayMs = 250, mostDelayMs = 20_000, random = Math.random, onRetry } = options
  let hasAnswered = false

  /** Waits before attempt `failures + 1`, or throws what cannot be tried again. */
  async function waitToRetry(
    error: unknown,
    failures: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    if (!(error instanceof VarveError)) throw error
    if (ANSWERS.has(error.code)) hasAnswered = true
    if (!error.retryable) throw error
    const isUnreached = error.code === 'REMOTE_UNREACHABLE' && !hasAnswered
    if (failures >= (isUnreached ? Math.min(attempts, ATTEMPTS_TO_REACH) : attempts)) throw error
    const delayMs = random() * Math.min(mostDelayMs, baseDelayMs * 2 ** (failures - 1))
    onRetry?.(error, { delayMs, failures })
    if (signal !== undefined) setMaxListeners(0, signal)
    await wait(delayMs, undefined, signal && { signal }).catch(() =>
      throwIfAborted(signal, 'waiting to try again'),
    )
  }

  async function retried<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        const answer = await request()
        hasAnswered = true
        return answer
      } catch (error) {
        await waitToRetry(error, failures, signal)
      }
    }
  }

  type ReadOptions = NonNullable<Parameters<Remote['read']>[1]>

  /** What is left of a read, from `first` on; `reader` has the stream that is being read, so that it can be ended. */
  async function* piecesOf(
    key: Key,
    reader: { stream: Readable; signal: AbortSignal },
    { range }: ReadOptions,
  ): AsyncGenerator<Buffer> {
    const { signal } = reader
    const end = range?.endExclusive ?? Number.MAX_SAFE_INTEGER
    let offset = range?.start ?? 0
    let failures = 0
    for (;;) {
      try {
        for await (const piece of reader.stream) {
          offset += (piece as Buffer).length
          failures = 0
          yield piece as Buffer
        }
        return
      } catch (error) {
        if (key === REPLACED_KEY || isDamaged(error)) throw error
        await waitToRetry(error, ++failures, signal)
        if (offset >= end) return
        const rest = { range: { start: offset, endExclusive: end }, signal }
        reader.stream = await retried(() => inner.read(key, rest), signal)
      }
    }
  }

  return {
    label: inner.label,
    stat: (key) => retried(() => inner.stat(key)),
    async read(key, options = {}) {
      const first = await retried(() => inner.read(key, options), options.signal)
      // What breaks before the reader has begun is told to it when it begins.
      first.on('error', () => undefined)
      const { controller, unfollow } = followSignal(options.signal)
      const reader = { stream: first, signal: controller.signal }
      return streamOfPieces(piecesOf(key, reader, options), () => {
        unfollow()
        controller.abort()
        reader.stream.destroy()
      })
    },
    write: (key, source, options) => retried(() => inner.write(key, source, options), options?.signal),
    async *list(prefix) {
      const seen = new Set<Key>()
      for (let failures = 0; ; ) {
        try {
          for await (const entry of inner.list(prefix)) {
            hasAnswered = true
            if (seen.has(entry.key)) continue
            seen.add(entry.key)
            // Only what is new is progress: else a listing that always breaks at one place would never end.
            failures = 0
            yield entry
          }
          hasAnswered = true
          return
        } catch (error) {
          await waitToRetry(error, ++failures, undefined)
        }
      }
    },
    remove: (key) => retried(() => inner.remove(key)),
  }
}

/** Bytes that are known to be wrong only after they were given: what comes after them does not mend them. */
function isDamaged(error: unknown): boolean {
  return error instanceof VarveError && error.code === 'CORRUPT'
}
