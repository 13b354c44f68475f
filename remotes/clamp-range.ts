import type { ByteRange } from '../core/remote.ts'

/** Cuts `range` to a value of `sizeBytes`. A range that is none is a bug of the caller: a plain RangeError. */
export function clampRange(range: ByteRange | undefined, sizeBytes: number): ByteRange {
  if (range === undefined) return { start: 0, endExclusive: sizeBytes }
  const { start, endExclusive } = range
  if (
    !Number.isSafeInteger(start) ||
    !Number.isSafeInteger(endExclusive) ||
    start < 0 ||
    endExclusive < start
  ) {
    throw new RangeError(`not a byte range: ${start} to ${endExclusive}`)
  }
  return { start: Math.min(start, sizeBytes), endExclusive: Math.min(endExclusive, sizeBytes) }
}
