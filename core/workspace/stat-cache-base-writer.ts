import { closeSync, openSync, writeSync } from 'node:fs'
import { checksumOf } from '../checksum.ts'
import { ByteWriter } from '../format/byte-writer.ts'
import { encodeBaseFooter, encodeBaseHeader, encodePlace } from '../format/stat-cache.ts'
import { StatTableBuilder } from '../format/stat-table.ts'

const BUFFER_BYTES = 4 * 1024 * 1024

/** Writes a new base, directory by directory, in the order of their names' bytes. */
export class StatCacheBaseWriter {
  readonly #fd: number
  readonly #directories = new StatTableBuilder()
  readonly #buffer = new ByteWriter(BUFFER_BYTES)
  #offset = 0

  /** @throws the system's own errors, as all of its methods do. */
  constructor(path: string) {
    this.#fd = openSync(path, 'wx')
    this.#append(encodeBaseHeader())
  }

  add(directory: Uint8Array, block: Buffer): void {
    const place = encodePlace({ offset: this.#offset, sizeBytes: block.length, checksum: checksumOf(block) })
    this.#directories.add(directory, place)
    this.#append(block)
  }

  /** Not synced: a base that a power cut tears fails its checksums, and the cache starts again. */
  finish(generation: bigint): void {
    const table = this.#directories.finish()
    const tableOffset = this.#offset
    this.#append(table)
    this.#append(
      encodeBaseFooter({
        generation,
        tableOffset,
        tableBytes: table.length,
        tableChecksum: checksumOf(table),
      }),
    )
    this.#drain()
  }

  close(): void {
    closeSync(this.#fd)
  }

  #append(bytes: Buffer): void {
    this.#offset += bytes.length
    if (this.#buffer.length + bytes.length > BUFFER_BYTES) this.#drain()
    if (bytes.length >= BUFFER_BYTES) writeFully(this.#fd, bytes)
    else this.#buffer.bytes(bytes)
  }

  #drain(): void {
    writeFully(this.#fd, this.#buffer.view())
    this.#buffer.reset()
  }
}

function writeFully(fd: number, bytes: Buffer): void {
  let done = 0
  while (done < bytes.length) done += writeSync(fd, bytes, done)
}
