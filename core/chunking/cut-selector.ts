/** No chunk but a blob's last is shorter. */
export const MIN_CHUNK_BYTES = 16 * 1024
/** Below this length a chunk ends only where the whole hash is 0. */
export const NORMAL_CHUNK_BYTES = 64 * 1024
/** A chunk that reaches this length ends there. */
export const MAX_CHUNK_BYTES = 256 * 1024
/** How many bytes the hash looks at, the one that it is tested after included. */
export const WINDOW_BYTES = 256

/** Decides which candidates end a chunk: the rule of lengths, apart from the hash. */
export class CutSelector {
  #openBytes = 0

  /** The length so far of the chunk that has not ended. */
  get openBytes(): number {
    return this.#openBytes
  }

  /** How many of the next bytes can neither end a chunk nor lie in the window of one that does. */
  get unhashedBytes(): number {
    return Math.max(0, MIN_CHUNK_BYTES - WINDOW_BYTES - this.#openBytes)
  }

  /** Passes over bytes of which no candidates are known: at most `unhashedBytes`. */
  skip(sizeBytes: number): void {
    this.#openBytes += sizeBytes
  }

  /**
   * Passes over the next `sizeBytes` bytes, at most 2^31, in which the first `count` of `candidates` lie, ascending and as
   * `Finder.candidates` has them. Calls `onCut` with the length of each chunk that ends.
   */
  take(
    { candidates, count, sizeBytes }: { candidates: ArrayLike<number>; count: number; sizeBytes: number },
    onCut: (lengthBytes: number) => void,
  ): void {
    let start = -this.#openBytes
    const forceUpTo = (end: number) => {
      for (; end - start >= MAX_CHUNK_BYTES; start += MAX_CHUNK_BYTES) onCut(MAX_CHUNK_BYTES)
    }
    for (let i = 0; i < count; i++) {
      const offset = candidates[i]! >>> 1
      forceUpTo(offset)
      const lengthBytes = offset + 1 - start
      const isWholeHashZero = (candidates[i]! & 1) === 1
      if (lengthBytes < (isWholeHashZero ? MIN_CHUNK_BYTES : NORMAL_CHUNK_BYTES)) continue
      onCut(lengthBytes)
      start += lengthBytes
    }
    forceUpTo(sizeBytes)
    this.#openBytes = sizeBytes - start
  }
}
