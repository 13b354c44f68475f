import { closeSync, fstatSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { type DirectoryBlock, decodeFrame, encodeFrame } from '../format/stat-cache.ts'

export const JOURNAL_PREFIX = 'journal-'

/** No run of appends under the limit at which a journal is folded into its base comes near: it is not believed. */
const MAX_JOURNAL_BYTES = 256 * 1024 * 1024

export function journalName(generation: bigint): string {
  return JOURNAL_PREFIX + generation.toString(16).padStart(16, '0')
}

/**
 * What was learnt since a base was written. Several processes may append at once: a frame is one write at the end of
 * the file. Read once; what others append later is not seen.
 */
export class StatCacheJournal {
  readonly #path: string
  readonly #generation: bigint
  /** Oldest first. */
  readonly #blocks = new Map<string, Buffer[]>()
  #sizeBytes = 0
  #isTorn = false

  private constructor(path: string, generation: bigint) {
    this.#path = path
    this.#generation = generation
  }

  static load(folder: string, generation: bigint): StatCacheJournal {
    const journal = new StatCacheJournal(join(folder, journalName(generation)), generation)
    journal.#read()
    return journal
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Nothing that is appended will ever be read again: it should be folded into a new base. */
  get isTorn(): boolean {
    return this.#isTorn
  }

  directories(): Iterable<string> {
    return this.#blocks.keys()
  }

  /** Oldest first. */
  blocksOf(directory: string): readonly Buffer[] {
    return this.#blocks.get(directory) ?? []
  }

  encode(directories: readonly DirectoryBlock[]): Buffer {
    return encodeFrame(this.#generation, directories)
  }

  /** @throws the system's own errors. */
  append(frame: Buffer): void {
    const fd = openSync(this.#path, 'a')
    try {
      // One write, and no second try after a short one: another process may have written behind it.
      if (writeSync(fd, frame) === frame.length) this.#take(frame, 0)
      else this.#isTorn = true
      this.#sizeBytes = fstatSync(fd).size
    } finally {
      closeSync(fd)
    }
  }

  #read(): void {
    let bytes: Buffer
    try {
      const stats = statSync(this.#path, { throwIfNoEntry: false })
      if (stats === undefined) return
      this.#isTorn = true
      if (stats.size > MAX_JOURNAL_BYTES) return
      bytes = readFileSync(this.#path)
    } catch {
      return
    }
    this.#sizeBytes = bytes.length
    let offset = 0
    for (;;) {
      const end = this.#take(bytes, offset)
      if (end === undefined) break
      offset = end
    }
    this.#isTorn = offset !== bytes.length
  }

  #take(bytes: Buffer, offset: number): number | undefined {
    const frame = decodeFrame(bytes, offset, this.#generation)
    if (frame === undefined) return undefined
    for (const { directory, block } of frame.directories) {
      const blocks = this.#blocks.get(directory)
      if (blocks === undefined) this.#blocks.set(directory, [block])
      else blocks.push(block)
    }
    return frame.end
  }
}
