import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** More costs longer than a new connection. */
const MOST_BYTES = 128 << 10

/** Reads what is left of an answer, so that its connection serves again; where that is much, the connection is closed. */
export async function dumpBody(body: Readable): Promise<void> {
  let arrivedBytes = 0
  body.on('data', (piece: Buffer) => {
    arrivedBytes += piece.length
    if (arrivedBytes > MOST_BYTES) body.destroy()
  })
  // One that breaks off has been read as far as it goes.
  await finished(body).catch(() => undefined)
}
