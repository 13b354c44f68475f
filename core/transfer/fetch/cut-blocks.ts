import type { PackEntry } from '../../format/pack.ts'
import type { PackRange } from './receive-ranges.ts'

/** What a thread gets at once: large enough to make messages rare, small enough to have many of them under way. */
const BLOCK_BYTES = 2 << 20

export type RangeBlock = { start: number; endExclusive: number; entries: PackEntry[] }

/** A range in blocks of whole entries, in order. What lies between the entries of two blocks is in neither. */
export function cutBlocks(range: Pick<PackRange, 'entries'>): RangeBlock[] {
  const blocks: RangeBlock[] = []
  let current: RangeBlock | undefined
  for (const entry of range.entries) {
    const end = entry.offset + entry.storedBytes
    if (current !== undefined && end - current.start <= BLOCK_BYTES) {
      current.entries.push(entry)
      current.endExclusive = end
    } else {
      current = { start: entry.offset, endExclusive: end, entries: [entry] }
      blocks.push(current)
    }
  }
  return blocks
}
