import { closeSync, fstatSync } from 'node:fs'
import { MAX_CHUNK_BYTES } from '../chunking/cut-selector.ts'
import type { Finder } from '../chunking/finder.ts'
import { Rot256Chunker } from '../chunking/rot256.ts'
import { ContentHasher, type Digest } from '../content-id.ts'
import { type FileStamp, sameStamp, stampOf } from './file-stamp.ts'
import { type FileToRead, failedReading, openFile, readFully } from './read-file.ts'

/** Bytes of a large file that are read, cut and handed on at once. */
export const WINDOW_BYTES = 8 << 20

/** What is read, hashed and cut before more is read: a core's cache still holds it. */
const PIECE_BYTES = 256 << 10

/** What a buffer for a window must hold: the window, and before it the chunk that the one before left open. */
export const WINDOW_BUFFER_BYTES = WINDOW_BYTES + MAX_CHUNK_BYTES

export type CutWindow = {
  /** Of the chunks that lie in the buffer, one after the other from its start. */
  lengths: number[]
  /** After the last window: the file's content, or that it changed while it was read. */
  end: { digest: Digest; stamp: FileStamp } | 'changed' | undefined
}

/**
 * Reads a large file once, from start to end, and hashes and cuts it window by window. The windows' chunks are hashed,
 * compressed and written by whichever thread is free: nothing of that depends on the order.
 */
export class LargeFileCutter {
  readonly #file: FileToRead
  readonly #fd: number
  readonly #before: FileStamp
  readonly #hasher = new ContentHasher()
  readonly #chunker: Rot256Chunker
  #open = Buffer.alloc(0)
  #position = 0
  #hasCut = false

  constructor(root: string, file: FileToRead, finder: Finder) {
    this.#file = file
    this.#fd = openFile(root, file)
    this.#before = stampOf(fstatSync(this.#fd))
    this.#chunker = new Rot256Chunker(finder)
  }

  /** Fills `buffer`, of WINDOW_BUFFER_BYTES, with the next window. */
  cut(buffer: Buffer): CutWindow {
    buffer.set(this.#open)
    const carried = this.#open.length
    const bytes = buffer.subarray(carried, carried + WINDOW_BYTES)
    const lengths: number[] = []
    let count = 0
    for (let read = -1; count < WINDOW_BYTES && read !== 0; count += read) {
      const piece = bytes.subarray(count, count + PIECE_BYTES)
      read = this.#read(piece)
      this.#position += read
      // One that grows as fast as it is read would never end.
      if (this.#position > this.#before.sizeBytes) return { lengths: [], end: 'changed' }
      this.#hasher.update(piece.subarray(0, read))
      this.#chunker.push(piece.subarray(0, read), (length) => lengths.push(length))
    }
    const cut = lengths.reduce((sum, length) => sum + length, 0)
    this.#hasCut ||= lengths.length > 0
    const isLast = count < WINDOW_BYTES
    const rest = carried + count - cut
    if (!isLast) {
      this.#open = Buffer.from(buffer.subarray(cut, cut + rest))
      return { lengths, end: undefined }
    }
    // A file that was emptied meanwhile is one empty chunk.
    if (rest > 0 || !this.#hasCut) lengths.push(rest)
    return { lengths, end: this.#end() }
  }

  #read(target: Buffer): number {
    try {
      return readFully(this.#fd, target, this.#position)
    } catch (error) {
      throw failedReading(error, this.#file)
    }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #end(): CutWindow['end'] {
    const stamp = stampOf(fstatSync(this.#fd))
    return sameStamp(this.#before, stamp) ? { digest: this.#hasher.digest(), stamp } : 'changed'
  }
}
