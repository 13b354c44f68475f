import { closeSync, openSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { type Digest, digestOf } from '../content-id.ts'
import { MAX_ENTRY_BYTES } from '../format/pack.ts'
import { readFully } from './read-file.ts'

/** What native code allocates is freed only when the event loop turns. */
const YIELD_BYTES = 4 << 20

/** A file that an earlier run began to write: which chunks are in their places is for their bytes to tell. */
export class BegunFile {
  readonly #fd: number
  #buffer = Buffer.allocUnsafe(256 << 10)
  #sinceYield = 0

  constructor(path: string) {
    this.#fd = openSync(path, 'r')
  }

  async has(chunk: Digest, position: number, lengthBytes: number): Promise<boolean> {
    if (lengthBytes > MAX_ENTRY_BYTES) return false
    if (lengthBytes > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(lengthBytes)
    const bytes = this.#buffer.subarray(0, lengthBytes)
    if (readFully(this.#fd, bytes, position) < lengthBytes) return false
    this.#sinceYield += lengthBytes
    if (this.#sinceYield >= YIELD_BYTES) {
      this.#sinceYield = 0
      await setImmediate()
    }
    return digestOf(bytes).equals(chunk)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
