import { Readable } from 'node:stream'

/**
 * A stream of what `pieces` gives. `leave` is called once, when it has ended or its reader goes away: at once then, even
 * where the generator waits for a piece, so that it can end that wait.
 */
export function streamOfPieces(pieces: AsyncGenerator<Uint8Array>, leave: () => void): Readable {
  const stream = Readable.from(pieces, { objectMode: false })
  const endGenerator = stream._destroy
  stream._destroy = (error, done) => {
    leave()
    // It ends when the piece that it waits for has come or failed.
    endGenerator.call(stream, error, done)
  }
  return stream
}
