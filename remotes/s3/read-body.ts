import { Readable } from 'node:stream'
import { destroyOnAbort } from '../interruption.ts'

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
  const stream = Readable.from(pieces(), { objectMode: false })
  destroyOnAbort(stream, signal, what)
  // A reader that goes away before the first piece leaves a response that nobody reads.
  stream.once('close', () => body.destroy())
  return stream
}

export function emptyStream(): Readable {
  return Readable.from([], { objectMode: false })
}
