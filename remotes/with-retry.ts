import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { VarveError } from '../core/errors.ts'
import type { Key, Remote } from '../core/remote.ts'
import { throwIfAborted } from './interruption.ts'

export type RetryOptions = {
  /** Of one request, the first one counted. */
  attempts?: number
  /** The longest wait before the second attempt; it doubles with each one more. */
  baseDelayMs?: number
  /** No wait is longer. */
  mostDelayMs?: number
  /** From 0 to 1; tests hand in their own. */
  random?: () => number
  onRetry?: ((error: VarveError, delayMs: number) => void) | undefined
}

/** Where there was no answer yet, the address is more likely wrong than the network shaky. */
const ATTEMPTS_TO_REACH = 3
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
    if (!(error instanceof VarveError) || !error.retryable) throw error
    const isUnreached = error.code === 'REMOTE_UNREACHABLE' && !hasAnswered
    if (failures >= (isUnreached ? Math.min(attempts, ATTEMPTS_TO_REACH) : attempts)) throw error
    const delayMs = random() * Math.min(mostDelayMs, baseDelayMs * 2 ** (failures - 1))
    onRetry?.(error, delayMs)
    // The caller meets the interruption where it makes its request.
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

  async function* piecesOf(key: Key, first: Readable, { range, signal }: ReadOptions) {
    const end = range?.endExclusive ?? Number.MAX_SAFE_INTEGER
    let offset = range?.start ?? 0
    let stream = first
    let failures = 0
    for (;;) {
      try {
        for await (const piece of stream) {
          offset += (piece as Buffer).length
          failures = 0
          yield piece as Buffer
        }
        return
      } catch (error) {
        if (key === REPLACED_KEY) throw error
        await waitToRetry(error, ++failures, signal)
        if (offset >= end) return
        const rest = { start: offset, endExclusive: end }
        stream = await retried(() => inner.read(key, { range: rest, ...(signal && { signal }) }), signal)
      }
    }
  }

  return {
    label: inner.label,
    stat: (key) => retried(() => inner.stat(key)),
    async read(key, options = {}) {
      const first = await retried(() => inner.read(key, options), options.signal)
      const stream = Readable.from(piecesOf(key, first, options), { objectMode: false })
      // One that is left before its first piece never runs the loop that would end the response.
      stream.once('close', () => first.destroy())
      return stream
    },
    write: (key, source, options) => retried(() => inner.write(key, source, options), options?.signal),
    async *list(prefix) {
      const seen = new Set<Key>()
      for (let failures = 0; ; ) {
        try {
          for await (const entry of inner.list(prefix)) {
            hasAnswered = true
            failures = 0
            if (seen.has(entry.key)) continue
            seen.add(entry.key)
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
