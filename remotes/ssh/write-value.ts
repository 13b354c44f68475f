import type { Stats } from 'ssh2'
import { type Handle, SFTP_UNSUPPORTED, type SftpChannel, statusOf } from './sftp-channel.ts'

/** As large as OpenSSH takes; for other servers, ssh2 cuts it into smaller requests. */
const PIECE_BYTES = 254 * 1024
/** As much as OpenSSH lets be on its way to it on one channel: 2 MiB. */
const PIECES_AT_ONCE = 8

/**
 * Writes a file that must not exist yet, with many requests on their way at once, and fsyncs it where the
 * server can. The time of its last change is by the server's clock, in seconds.
 */
export async function writeServerFile(
  channel: SftpChannel,
  path: string,
  { bytes, sizeBytes }: { bytes: AsyncIterable<Uint8Array>; sizeBytes: number },
): Promise<Stats> {
  const handle = await channel.create(path)
  const writes = new Pipeline(PIECES_AT_ONCE)
  let isClosed = false
  try {
    let position = 0
    for await (const piece of piecesOf(bytes, Math.max(1, Math.min(PIECE_BYTES, sizeBytes)))) {
      const at = position
      await writes.add(() => channel.write(handle, piece, at))
      position += piece.length
    }
    // A channel serves in order: these can go out before the last writes are answered.
    const synced = syncIfAble(channel, handle)
    const stats = channel.fstat(handle)
    const closed = channel.close(handle)
    isClosed = true
    const [result] = await Promise.all([stats, synced, closed, writes.finish()])
    return result
  } finally {
    if (!isClosed) channel.close(handle).catch(() => undefined)
  }
}

/** Pieces of one size, which nobody writes into again: a source may use its buffer for the next piece. */
async function* piecesOf(bytes: AsyncIterable<Uint8Array>, pieceBytes: number): AsyncGenerator<Buffer> {
  let piece = Buffer.allocUnsafeSlow(pieceBytes)
  let filled = 0
  for await (const part of bytes) {
    for (let offset = 0; offset < part.length; ) {
      const taken = Math.min(part.length - offset, pieceBytes - filled)
      piece.set(part.subarray(offset, offset + taken), filled)
      offset += taken
      filled += taken
      if (filled < pieceBytes) continue
      yield piece
      piece = Buffer.allocUnsafeSlow(pieceBytes)
      filled = 0
    }
  }
  if (filled > 0) yield piece.subarray(0, filled)
}

/** Keeps at most so many promises waiting; the first failure is thrown by the next call. */
class Pipeline {
  readonly #limit: number
  readonly #waiting = new Set<Promise<void>>()
  #failure: { error: unknown } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  async add(start: () => Promise<void>): Promise<void> {
    while (this.#waiting.size >= this.#limit && this.#failure === undefined) await Promise.race(this.#waiting)
    this.#throwFailure()
    const promise: Promise<void> = start()
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#waiting.delete(promise))
    this.#waiting.add(promise)
  }

  async finish(): Promise<void> {
    await Promise.all(this.#waiting)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

async function syncIfAble(channel: SftpChannel, handle: Handle): Promise<void> {
  try {
    await channel.fsync(handle)
  } catch (error) {
    // Not an extension that every server has: there its own disk decides what survives a power cut.
    if (statusOf(error) !== SFTP_UNSUPPORTED) throw error
  }
}
