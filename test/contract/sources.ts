import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { Remote, RemoteEntry, Source } from '../../core/remote.ts'

const PIECE_BYTES = 64 * 1024

export function sourceOf(value: Uint8Array | string): Source {
  const bytes = Buffer.from(value)
  return { sizeBytes: bytes.length, open: () => Readable.from(piecesOf(bytes), { objectMode: false }) }
}

/** Claims to be `claimedBytes` long and gives `bytes`; then fails with `error` where there is one. */
export function brokenSource(options: { claimedBytes: number; bytes: Uint8Array; error?: Error }): Source {
  const { claimedBytes, bytes, error } = options
  async function* pieces() {
    yield* piecesOf(bytes)
    if (error) throw error
  }
  return { sizeBytes: claimedBytes, open: () => Readable.from(pieces(), { objectMode: false }) }
}

/** Gives `bytes`, then calls `stalled` and never goes on. */
export function stallingSource(options: {
  claimedBytes: number
  bytes: Uint8Array
  stalled: () => void
}): Source {
  const { claimedBytes, bytes, stalled } = options
  const open = () => {
    const pieces = piecesOf(bytes)
    return new Readable({
      read() {
        const next = pieces.next()
        if (next.done) stalled()
        else this.push(next.value)
      },
    })
  }
  return { sizeBytes: claimedBytes, open }
}

function* piecesOf(bytes: Uint8Array): Generator<Buffer, undefined> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < buffer.length; at += PIECE_BYTES) yield buffer.subarray(at, at + PIECE_BYTES)
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

export async function readBytes(
  remote: Remote,
  key: string,
  options?: Parameters<Remote['read']>[1],
): Promise<Buffer> {
  return bytesOf(await remote.read(key, options))
}

export async function entriesOf(remote: Remote, prefix: string): Promise<RemoteEntry[]> {
  const entries: RemoteEntry[] = []
  for await (const entry of remote.list(prefix)) entries.push(entry)
  return entries
}

export async function keysOf(remote: Remote, prefix: string): Promise<string[]> {
  return (await entriesOf(remote, prefix)).map((entry) => entry.key).sort()
}

export function someBytes(sizeBytes: number): Buffer {
  return randomBytes(sizeBytes)
}
