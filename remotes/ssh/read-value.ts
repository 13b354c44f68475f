import { Readable } from 'node:stream'
import { VarveError } from '../../core/errors.ts'
import type { ByteRange } from '../../core/remote.ts'
import { clampRange } from '../clamp-range.ts'
import { serverError } from './server-error.ts'
import type { Handle, SftpChannel } from './sftp-channel.ts'

/** What OpenSSH gives in one answer; for other servers, ssh2 cuts it into smaller requests. */
const PIECE_BYTES = 254 * 1024
/** As much as may be on its way to us on one channel of ssh2: 2 MiB. */
const PIECES_AT_ONCE = 8

/**
 * A stream of the file at `path`, or of a part of it. Many requests are on their way at once. `onEnd` is called
 * once, when the channel is not needed any more, also after an error.
 * @throws the server's error where the file cannot be opened.
 */
export async function openServerValue(options: {
  channel: SftpChannel
  path: string
  range: ByteRange | undefined
  doing: string
  onEnd: () => void
}): Promise<Readable> {
  const { channel, path, range, doing, onEnd } = options
  const wanted = clampRange(range, range?.endExclusive ?? PIECE_BYTES)
  const handle = await channel.open(path).catch((error: unknown) => {
    onEnd()
    throw error
  })
  const close = () => {
    // Nothing depends on the answer, and a lost connection has closed it as well.
    channel.close(handle).then(onEnd, onEnd)
  }
  // Sent together, so that a short value costs one more trip and not two.
  const start = Math.min(PIECE_BYTES, wanted.endExclusive - wanted.start)
  const first = readPiece({ channel, handle, position: wanted.start, sizeBytes: start })
  first.catch(() => undefined)
  try {
    const stats = await channel.fstat(handle)
    if (!stats.isFile()) throw new VarveError('NOT_FOUND', `not a file while ${doing}`)
    return streamOf({ channel, handle, first, doing, close, ...clampRange(range, stats.size) })
  } catch (error) {
    close()
    throw error
  }
}

/** Pieces arrive in any order and are given in theirs. */
function streamOf(
  options: ByteRange & {
    channel: SftpChannel
    handle: Handle
    first: Promise<Buffer>
    doing: string
    close: () => void
  },
): Readable {
  const { channel, handle, first, doing, close, start, endExclusive } = options
  const pieces: { sizeBytes: number; bytes: Promise<Buffer> }[] = []
  let next = start
  const ask = () => {
    while (pieces.length < PIECES_AT_ONCE && next < endExclusive) {
      const sizeBytes = Math.min(PIECE_BYTES, endExclusive - next)
      const bytes = next === start ? first : readPiece({ channel, handle, position: next, sizeBytes })
      // A stream that is left half-way does not look at what it asked for.
      bytes.catch(() => undefined)
      pieces.push({ sizeBytes, bytes })
      next += sizeBytes
    }
  }
  return new Readable({
    highWaterMark: PIECE_BYTES,
    read() {
      ask()
      const piece = pieces.shift()
      if (piece === undefined) {
        this.push(null)
        return
      }
      piece.bytes.then(
        (bytes) => {
          if (bytes.length < piece.sizeBytes) this.destroy(cutOff(doing))
          else this.push(bytes.subarray(0, piece.sizeBytes))
        },
        (error: unknown) => this.destroy(serverError(error, doing) as Error),
      )
    },
    destroy(error, done) {
      close()
      done(error)
    },
  })
}

/** All of a piece: a server may answer with less than was asked for. Less is only given at the end of the file. */
async function readPiece(options: {
  channel: SftpChannel
  handle: Handle
  position: number
  sizeBytes: number
}): Promise<Buffer> {
  const { channel, handle, position, sizeBytes } = options
  const buffer = Buffer.allocUnsafeSlow(sizeBytes)
  let offset = 0
  while (offset < sizeBytes) {
    const bytesRead = await channel.read(handle, { buffer, offset, position: position + offset })
    if (bytesRead === 0) break
    offset += bytesRead
  }
  return offset * 2 < sizeBytes ? Buffer.from(buffer.subarray(0, offset)) : buffer.subarray(0, offset)
}

function cutOff(doing: string): VarveError {
  return new VarveError('REMOTE_FAILED', `the file on the server became shorter while ${doing}`, {
    hint: 'Run the command again.',
    retryable: true,
  })
}
