import { createHash } from 'node:crypto'
import {
  CutSelector,
  MAX_CHUNK_BYTES,
  MIN_CHUNK_BYTES,
  NORMAL_CHUNK_BYTES,
} from '../../core/chunking/cut-selector.ts'
import type { SeededRandom } from './inputs.ts'

/** The chunk lengths that a list of candidates gives, the last one included. */
export function lengthsFromCandidates(candidates: number[], sizeBytes: number): number[] {
  const lengths: number[] = []
  const selector = new CutSelector()
  selector.take({ candidates, count: candidates.length, sizeBytes }, (length) => lengths.push(length))
  if (selector.openBytes > 0) lengths.push(selector.openBytes)
  return lengths
}

/** How many bytes of `edited` lie in chunks that `original` does not have, as a share of `original`. */
export function newShare(
  original: { bytes: Uint8Array; lengths: number[] },
  edited: { bytes: Uint8Array; lengths: number[] },
): number {
  const known = new Set<string>()
  forEachChunk(original, (id) => known.add(id))
  let newBytes = 0
  forEachChunk(edited, (id, lengthBytes) => {
    if (!known.has(id)) newBytes += lengthBytes
  })
  return newBytes / original.bytes.length
}

function forEachChunk(
  { bytes, lengths }: { bytes: Uint8Array; lengths: number[] },
  visit: (id: string, lengthBytes: number) => void,
): void {
  let start = 0
  for (const length of lengths) {
    visit(
      createHash('sha1')
        .update(bytes.subarray(start, start + length))
        .digest('base64'),
      length,
    )
    start += length
  }
}

/**
 * How many bytes after an edit are new on average: of `trials` chains of cuts that begin at random places in
 * the first half, the mean distance from the last cut of the undisturbed chain before that place to the
 * first cut that the two have in common (or to the end).
 */
export function meanResyncBytes(
  candidates: number[],
  { sizeBytes, trials, random }: { sizeBytes: number; trials: number; random: SeededRandom },
): number {
  const weak = Float64Array.from(candidates, (candidate) => candidate >>> 1)
  const strong = Float64Array.from(
    candidates.filter((candidate) => (candidate & 1) === 1),
    (c) => c >>> 1,
  )
  const nextCut = (start: number): number => {
    const s = firstAtLeast(strong, start + MIN_CHUNK_BYTES - 1)
    if (s < start + NORMAL_CHUNK_BYTES - 1) return s + 1
    const w = firstAtLeast(weak, start + NORMAL_CHUNK_BYTES - 1)
    return Math.min(w + 1, start + MAX_CHUNK_BYTES, sizeBytes)
  }
  const undisturbed: number[] = [0]
  while (undisturbed.at(-1)! < sizeBytes) undisturbed.push(nextCut(undisturbed.at(-1)!))
  const cuts = new Set(undisturbed)
  let total = 0
  for (let trial = 0; trial < trials; trial++) {
    const place = random.below(sizeBytes / 2)
    let cut = place
    while (!cuts.has(cut)) cut = nextCut(cut)
    total += cut - undisturbed.findLast((before) => before <= place)!
  }
  return total / trials
}

function firstAtLeast(ascending: Float64Array, value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! < value) low = middle + 1
    else high = middle
  }
  return ascending[low] ?? Number.POSITIVE_INFINITY
}
