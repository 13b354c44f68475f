import { type Readable, Transform } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'
import { followSignal } from './follow-signal.ts'
import { streamOfPieces } from './stream-of-pieces.ts'

const ANSWER_MS = 60_000
/**
 * A write reads ahead of what it has sent, and waits while others send: over a slow line it seems to rest for long. Dead
 * connections are found earlier, by those who hold them.
 */
const WRITE_MS = 3_600_000

/**
 * Ends what makes no progress: a request without an answer, a read of which no byte comes, a write of which no byte
 * goes. What moves may take as long as it likes.
 */
export function withStallTimeout(
  inner: Remote,
  { answerMs = ANSWER_MS, writeMs = WRITE_MS }: { answerMs?: number; writeMs?: number } = {},
): Remote {
  const { label } = inner

  /** Waits for `request` as long as it says that it makes progress. */
  async function inTime<T>(
    what: string,
    stallMs: number,
    request: (progress: () => void) => Promise<T>,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const stall = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(stalled(label, what, stallMs)), stallMs)
    })
    try {
      // Not every kind can end a request that it has made: the wait for it ends all the same.
      return await Promise.race([request(() => void timer?.refresh()), stall])
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    label,
    stat: (key) => inTime(`looking for ${key}`, answerMs, () => inner.stat(key)),
    async read(key, options = {}) {
      const what = `reading ${key}`
      const { controller, unfollow } = followSignal(options.signal)
      try {
        const { signal } = controller
        const stream = await inTime(what, answerMs, () => inner.read(key, { ...options, signal }))
        stream.once('close', unfollow)
        return endWhenStalled(stream, answerMs, () => stalled(label, what, answerMs))
      } catch (error) {
        unfollow()
        controller.abort(error)
        throw error
      }
    },
    async write(key, source, options = {}) {
      const { controller, unfollow } = followSignal(options.signal)
      try {
        await inTime(`writing ${key}`, writeMs, (progress) => {
          const open = () => withProgress(source.open(), progress)
          return inner.write(
            key,
            { sizeBytes: source.sizeBytes, open },
            { ...options, signal: controller.signal },
          )
        })
      } catch (error) {
        controller.abort(error)
        throw error
      } finally {
        unfollow()
      }
    },
    async *list(prefix) {
      const entries = inner.list(prefix)[Symbol.asyncIterator]()
      try {
        for (;;) {
          const next = await inTime(`listing ${prefix}`, answerMs, () => entries.next())
          if (next.done) return
          yield next.value
        }
      } finally {
        // One that hangs would hang here too, and one that has failed has been told of.
        entries.return?.().catch(() => undefined)
      }
    },
    remove: (key) => inTime(`removing ${key}`, answerMs, () => inner.remove(key)),
  }
}

/** Time passes only while the reader waits for the next piece. */
function endWhenStalled(stream: Readable, stallMs: number, error: () => VarveError): Readable {
  // What breaks before the reader has begun is told to it when it begins.
  stream.on('error', () => undefined)
  async function* pieces() {
    const begin = () => setTimeout(() => stream.destroy(error()), stallMs)
    let timer = begin()
    try {
      for await (const piece of stream) {
        clearTimeout(timer)
        yield piece as Buffer
        timer = begin()
      }
    } finally {
      clearTimeout(timer)
    }
  }
  return streamOfPieces(pieces(), () => stream.destroy())
}

function withProgress(stream: Readable, progress: () => void): Readable {
  const meter = new Transform({
    transform(piece: Buffer, _encoding, done) {
      progress()
      done(null, piece)
    },
  })
  stream.once('error', (error) => meter.destroy(error))
  meter.once('close', () => stream.destroy())
  return stream.pipe(meter)
}

function stalled(label: string, what: string, stallMs: number): VarveError {
  const seconds = Math.round(stallMs / 1000)
  return new VarveError('REMOTE_FAILED', `${label}: nothing has moved for ${seconds} s while ${what}`, {
    hint: 'Check the network, and run the command again: it goes on where it was.',
    retryable: true,
  })
}
