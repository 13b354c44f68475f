import { Readable } from 'node:stream'
import { destroyOnAbort } from '../interruption.ts'
import { streamOfPieces } from '../stream-of-pieces.ts'

/** The body of a response, whose failures are told in Varve's words. */
export function readBody(
  body: Readable,
  options: { signal: AbortSignal | undefined; what: string; mapError: (error: unknown) => unknown },
): Readable {
  const { signal, what, mapError } = options
  async function* pieces() {
    try {
      yield* body
    } catch (error) {
      throw mapError(error)
    }
  }
  // A response that breaks off before its reader has begun tells it then.
  body.on('error', () => undefined)
  const stream = streamOfPieces(pieces(), () => body.destroy())
  destroyOnAbort(stream, signal, what)
  return stream
}

export function emptyStream(): Readable {
  return Readable.from([], { objectMode: false })
}
