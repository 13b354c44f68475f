/** Finds where the 256-byte rolling hash of `rot256-v1` allows a cut, one block of a blob after the other. */
export type Finder = {
  /** The most bytes that one call of `find` takes. */
  readonly blockBytes: number
  /** What `find` found: offset in its bytes * 2, plus 1 where all 16 bits of the hash are 0. Overwritten by the next call. */
  readonly candidates: Uint32Array
  /** Goes back to the state before a first byte. The 256th byte from here on, and all after it, have the hash that they have in the blob. */
  reset(): void
  /**
   * Takes bytes `start` to `end` as those that follow what it was given before.
   * Returns how many `candidates` it found; their offsets count from `start`.
   */
  find(source: Uint8Array, start: number, end: number): number
}
