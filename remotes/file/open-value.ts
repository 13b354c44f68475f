import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { VarveError } from '../../core/errors.ts'
import type { ByteRange } from '../../core/remote.ts'
import { clampRange } from '../clamp-range.ts'
import { fileRemoteError } from './file-remote-error.ts'

const PIECE_BYTES = 256 * 1024

/** A stream of the file at `path`, or of a part of it. Errors of the stream are mapped as `doing`. */
export async function openValue(
  path: string,
  range: ByteRange | undefined,
  doing: string,
): Promise<Readable> {
  // Non-blocking, so that a pipe that someone put there does not hold us until it has a writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new VarveError('NOT_FOUND', `not a file while ${doing}`)
    return streamOf(handle, clampRange(range, stats.size), doing)
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** Closes `handle` at the end, at an error, and when the reader destroys the stream. */
function streamOf(handle: FileHandle, { start, endExclusive }: ByteRange, doing: string): Readable {
  let position = start
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      const sizeBytes = Math.min(PIECE_BYTES, endExclusive - position)
      if (sizeBytes === 0) {
        this.push(null)
        return
      }
      handle.read(Buffer.allocUnsafe(sizeBytes), 0, sizeBytes, position).then(
        ({ bytesRead, buffer }) => {
          position += bytesRead
          this.push(bytesRead === 0 ? null : buffer.subarray(0, bytesRead))
        },
        (error: unknown) => this.destroy(fileRemoteError(error, doing) as Error),
      )
    },
    destroy(error, done) {
      handle.close().then(
        () => done(error),
        (closing: Error) => done(error ?? closing),
      )
    },
  })
}
