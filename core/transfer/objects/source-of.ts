import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { Source } from '../../remote.ts'

const READING = { highWaterMark: 1 << 20 }

/** What to write to a remote, from memory. */
export function sourceOf(bytes: Buffer): Source {
  return { sizeBytes: bytes.length, open: () => Readable.from([bytes]) }
}

export function sourceOfFile(path: string, sizeBytes: number): Source {
  return { sizeBytes, open: () => createReadStream(path, READING) }
}
