import { Readable } from 'node:stream'
import { VarveError } from '../../core/errors.ts'
import { destroyOnAbort } from '../interruption.ts'
import { requestError } from './request-error.ts'

export type BodyOptions = {
  /** All that should come; undefined where the server did not say. */
  expectedBytes: number | undefined
  /** Left out at the start. */
  skipBytes?: number
  /** Given after that; what comes then is not waited for. */
  mostBytes?: number | undefined
  host: string
  doing: string
  signal: AbortSignal | undefined
}

/**
 * A response's body with errors in Varve's words. One that ends early is an error, whatever the framing of HTTP makes
 * of it. Destroying the stream ends the response.
 */
export function streamBody(body: Readable, options: BodyOptions): Readable {
  const { expectedBytes, skipBytes = 0, mostBytes = Number.POSITIVE_INFINITY, host, doing, signal } = options
  let arrivedBytes = 0
  let givenBytes = 0
  const stream = new Readable({
    read() {
      body.resume()
    },
    destroy(error, done) {
      body.destroy()
      done(error)
    },
  })

  function give(piece: Buffer): void {
    const skipped = Math.min(piece.length, Math.max(0, skipBytes - arrivedBytes))
    arrivedBytes += piece.length
    if (expectedBytes !== undefined && arrivedBytes > expectedBytes) {
      stream.destroy(broken(`gave more than the ${expectedBytes} bytes that it announced`))
      return
    }
    const part = piece.subarray(skipped, skipped + Math.min(piece.length, mostBytes - givenBytes))
    givenBytes += part.length
    if (part.length > 0 && !stream.push(part)) body.pause()
    if (givenBytes === mostBytes) finish()
  }

  function finish(): void {
    body.off('data', give)
    body.destroy()
    stream.push(null)
  }

  function broken(what: string): VarveError {
    return new VarveError('REMOTE_FAILED', `${host} ${what} while ${doing}`, {
      hint: 'Run the command again: it goes on where it was.',
      retryable: true,
    })
  }

  const isFinished = () => givenBytes === mostBytes
  body.on('error', (error) => {
    if (!isFinished()) stream.destroy(requestError(error, host, doing) as Error)
  })
  body.once('end', () => {
    if (isFinished()) return
    if (expectedBytes === undefined || arrivedBytes === expectedBytes) stream.push(null)
    else stream.destroy(broken(`sent only ${arrivedBytes} of ${expectedBytes} bytes`))
  })
  body.once('close', () => {
    if (!isFinished() && !body.readableEnded && !stream.destroyed)
      stream.destroy(broken('closed the connection'))
  })
  // A failure that comes before the reader has begun must not end the process; the reader meets it when it begins.
  stream.on('error', () => undefined)
  body.on('data', give)
  body.pause()
  if (body.destroyed) stream.destroy(broken('closed the connection'))
  destroyOnAbort(stream, signal, doing)
  return stream
}
