import { createCandidateFinder } from './create-candidate-finder.ts'
import { CutSelector } from './cut-selector.ts'
import type { Finder } from './finder.ts'

/** The name that stores and remotes record for this way to cut, its tables and lengths included. */
export const CHUNKING_NAME = 'rot256-v1'

/**
 * Cuts one blob into chunks where its content says so; see docs/formats/chunking.md. How the blob's bytes
 * are spread over calls makes no difference. The caller keeps the bytes: this one tells lengths alone.
 */
export class Rot256Chunker {
  readonly #finder: Finder
  readonly #selector = new CutSelector()

  constructor(finder: Finder = createCandidateFinder()) {
    this.#finder = finder
    finder.reset()
  }

  /** Takes the blob's next bytes; calls `onCut` with the length of each chunk that ends in them, in order. */
  push(bytes: Uint8Array, onCut: (lengthBytes: number) => void): void {
    const finder = this.#finder
    const selector = this.#selector
    let start = 0
    while (start < bytes.length) {
      const unhashedBytes = Math.min(selector.unhashedBytes, bytes.length - start)
      if (unhashedBytes > 0) {
        // The window of the next cut begins after these bytes, so the hash may forget all that came before.
        finder.reset()
        selector.skip(unhashedBytes)
        start += unhashedBytes
        continue
      }
      const end = Math.min(start + finder.blockBytes, bytes.length)
      const count = finder.find(bytes, start, end)
      selector.take({ candidates: finder.candidates, count, sizeBytes: end - start }, onCut)
      start = end
    }
  }

  /** The length of the blob's last chunk: 0 where the blob is empty, or ends exactly at a cut. */
  finish(): number {
    return this.#selector.openBytes
  }
}

let sharedFinder: Finder | undefined

/** The lengths of the chunks of a whole blob: none for an empty one. */
export function chunkLengths(bytes: Uint8Array, finder?: Finder): number[] {
  const lengths: number[] = []
  if (finder === undefined) {
    sharedFinder ??= createCandidateFinder()
    finder = sharedFinder
  }
  const chunker = new Rot256Chunker(finder)
  chunker.push(bytes, (lengthBytes) => lengths.push(lengthBytes))
  const last = chunker.finish()
  if (last > 0) lengths.push(last)
  return lengths
}
