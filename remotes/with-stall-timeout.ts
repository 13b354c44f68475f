import { type Readable, Transform } from 'node:stream'
import { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'
import { followSignal } from './follow-signal.ts'
import { streamOfPieces } from './stream-of-pieces.ts'

const ANSWER_MS = 60_000
/** Of a host that has not answered yet: its address is more likely wrong than it is slow. */
const FIRST_ANSWER_MS = 20_000
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
  options: { answerMs?: number; firstAnswerMs?: number; writeMs?: number; where?: string } = {},
): Remote {
  const { label } = inner
  const { answerMs = ANSWER_MS, writeMs = WRITE_MS, where = label } = options
  const firstAnswerMs = Math.min(options.firstAnswerMs ?? FIRST_ANSWER_MS, answerMs)
  let hasAnswered = false

  /** Waits for an answer; the wait for the first one is shorter. */
  async function answerOf<T>(what: string, request: () => Promise<T>): Promise<T> {
    const stallMs = hasAnswered ? answerMs : firstAnswerMs
    try {
      const answer = await inTime(what, stallMs, request)
      hasAnswered = true
      return answer
    } catch (error) {
      if (!hasAnswered && error instanceof Stall) throw unreachable(where, what, stallMs)
      hasAnswered ||= !(error instanceof VarveError && error.code === 'REMOTE_UNREACHABLE')
      throw error
    }
  }

  /** Waits for `request` as long as it says that it makes progress. */
  async function inTime<T>(
    what: string,
    stallMs: number,
    request: (progress: () => void) => Promise<T>,
  ): Promise<T> {
    let timer: NodeJS.Timeout | undefined
    const stall = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Stall(where, what, stallMs)), stallMs)
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
    stat: (key) => answerOf(`looking for ${key}`, () => inner.stat(key)),
    async read(key, options = {}) {
      const what = `reading ${key}`
      const { controller, unfollow } = followSignal(options.signal)
      try {
        const { signal } = controller
        const stream = await answerOf(what, () => inner.read(key, { ...options, signal }))
        stream.once('close', unfollow)
        return endWhenStalled(stream, answerMs, () => new Stall(where, what, answerMs))
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
          const next = await answerOf(`listing ${prefix}`, () => entries.next())
          if (next.done) return
          yield next.value
        }
      } finally {
        // One that hangs would hang here too, and one that has failed has been told of.
        entries.return?.().catch(() => undefined)
      }
    },
    remove: (key) => answerOf(`removing ${key}`, () => inner.remove(key)),
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

class Stall extends VarveError {
  constructor(where: string, what: string, stallMs: number) {
    const seconds = Math.round(stallMs / 1000)
    super('REMOTE_FAILED', `${where}: nothing has moved for ${seconds} s while ${what}`, {
      hint: 'Check the network, and run the command again: it goes on where it was.',
      retryable: true,
    })
  }
}

function unreachable(where: string, what: string, stallMs: number): VarveError {
  const seconds = Math.round(stallMs / 1000)
  return new VarveError('REMOTE_UNREACHABLE', `${where} has not answered for ${seconds} s while ${what}`, {
    hint: 'Check the address and the network, and run the command again.',
    retryable: true,
  })
}
