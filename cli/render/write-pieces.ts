import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'

/** After so many pieces in a row, Ctrl-C gets its turn. */
const PIECES_AT_ONCE = 64

/** Writes pieces as fast as `stream` takes them, none of them kept. Stops where `signal` says so. */
export async function writePieces(
  stream: Writable,
  pieces: Iterable<string | Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  let written = 0
  for (const piece of pieces) {
    if (!stream.write(piece)) await once(stream, 'drain', { signal })
    if (++written % PIECES_AT_ONCE === 0) await setImmediate()
    signal.throwIfAborted()
  }
}
