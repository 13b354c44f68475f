import type { Finder } from './finder.ts'
import { g } from './tables.ts'

const BLOCK_BYTES = 4096

/**
 * The plain reference: what the kernel is held against, and what runs where the kernel cannot.
 *
 * The hash doubles its window four times (16, 32, .. 256 bytes). Two positions share one 32-bit integer,
 * the even one in the low half: some 300 MB/s, against 240 with one position at a time and 180 with one pass for
 * each doubling. Where halves are added, their top bits go apart, so that no carry crosses over. Masks are
 * literals, and sums end in `| 0`, because that is another fifth faster once bundled.
 */
export class CandidateFinder implements Finder {
  readonly blockBytes = BLOCK_BYTES
  readonly candidates = new Uint32Array(BLOCK_BYTES + 1)

  readonly #map: Int32Array
  /** The bytes of a call, after the last byte of the call before where that was the first of a pair. */
  readonly #bytes = new Uint8Array(BLOCK_BYTES + 2)
  #hasHeldByte = false
  // Each begins with the pairs that the next doubling looks back to.
  readonly #h16 = new Int32Array(BLOCK_BYTES / 2 + 1 + 8)
  readonly #h32 = new Int32Array(BLOCK_BYTES / 2 + 1 + 16)
  readonly #h64 = new Int32Array(BLOCK_BYTES / 2 + 1 + 32)
  readonly #h128 = new Int32Array(BLOCK_BYTES / 2 + 1 + 64)

  constructor(byteMap: Uint16Array = g) {
    this.#map = Int32Array.from(byteMap)
  }

  reset(): void {
    this.#hasHeldByte = false
    this.#h16.fill(0, 0, 8)
    this.#h32.fill(0, 0, 16)
    this.#h64.fill(0, 0, 32)
    this.#h128.fill(0, 0, 64)
  }

  find(source: Uint8Array, start: number, end: number): number {
    const held = this.#hasHeldByte ? 1 : 0
    const bytes = this.#bytes
    const sizeBytes = end - start
    bytes.set(source.subarray(start, end), held)
    const length = held + sizeBytes
    const found = this.#scan((length + 1) >>> 1, held, sizeBytes)
    // A pair whose second byte is yet to come is done again with the next call.
    const complete = length >>> 1
    this.#hasHeldByte = (length & 1) === 1
    if (this.#hasHeldByte) bytes[0] = bytes[length - 1]!
    this.#h16.copyWithin(0, complete, complete + 8)
    this.#h32.copyWithin(0, complete, complete + 16)
    this.#h64.copyWithin(0, complete, complete + 32)
    this.#h128.copyWithin(0, complete, complete + 64)
    return found
  }

  #scan(pairs: number, held: number, sizeBytes: number): number {
    const bytes = this.#bytes
    const map = this.#map
    const candidates = this.candidates
    const h16 = this.#h16
    const h32 = this.#h32
    const h64 = this.#h64
    const h128 = this.#h128
    let found = 0
    let rolling = h16[7]! >>> 16
    for (let pair = 0; pair < pairs; pair++) {
      // What is shifted out of 16 bits is more than 16 bytes old: the sum of the definition, term by term.
      const first = ((rolling << 1) + map[bytes[2 * pair]!]!) | 0
      rolling = ((first << 1) + map[bytes[2 * pair + 1]!]!) | 0
      let hash = (first & 0xffff) | (rolling << 16)
      h16[pair + 8] = hash

      let earlier = h16[pair]!
      hash ^= ((earlier << 7) & 0xff80ff80) | ((earlier >>> 9) & 0x007f007f)
      h32[pair + 16] = hash

      earlier = h32[pair]!
      earlier = ((earlier << 3) & 0xfff8fff8) | ((earlier >>> 13) & 0x00070007)
      hash = (((hash & 0x7fff7fff) + (earlier & 0x7fff7fff)) | 0) ^ ((hash ^ earlier) & 0x80008000)
      h64[pair + 32] = hash

      earlier = h64[pair]!
      hash ^= ((earlier << 5) & 0xffe0ffe0) | ((earlier >>> 11) & 0x001f001f)
      h128[pair + 64] = hash

      earlier = h128[pair]!
      earlier = ((earlier << 11) & 0xf800f800) | ((earlier >>> 5) & 0x07ff07ff)
      hash = (((hash & 0x7fff7fff) + (earlier & 0x7fff7fff)) | 0) ^ ((hash ^ earlier) & 0x80008000)

      if ((hash & 0xfffc) === 0) {
        const offset = 2 * pair - held
        if (offset >= 0) candidates[found++] = offset * 2 + ((hash & 0xffff) === 0 ? 1 : 0)
      }
      if ((hash & 0xfffc0000) === 0) {
        const offset = 2 * pair + 1 - held
        if (offset < sizeBytes) candidates[found++] = offset * 2 + (hash >>> 16 === 0 ? 1 : 0)
      }
    }
    return found
  }
}

/**
 * All candidates in `bytes`, as `Finder.candidates` has them. `history` is what comes before
 * `bytes` in the blob, of which only the last 255 bytes matter: so parts of a blob can be searched apart.
 */
export function findCandidates(
  bytes: Uint8Array,
  history: Uint8Array = new Uint8Array(0),
  finder: Finder = new CandidateFinder(),
): number[] {
  finder.reset()
  finder.find(history, Math.max(0, history.length - 255), history.length)
  const all: number[] = []
  for (let start = 0; start < bytes.length; start += finder.blockBytes) {
    const found = finder.find(bytes, start, Math.min(start + finder.blockBytes, bytes.length))
    for (let i = 0; i < found; i++) all.push(start * 2 + finder.candidates[i]!)
  }
  return all
}
