import type { PackEntry } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import { DigestSet } from '../../store/digest-set.ts'
import type { PackTable } from '../view/pack-tables.ts'
import type { MissingEntry } from './missing-entries.ts'
import type { PackRange } from './receive-ranges.ts'

/** Reading over a gap up to this is cheaper than another request. */
const MAX_GAP_BYTES = 64 << 10
/** A range may be held in memory while it is verified; and several requests at once are faster than a long one. */
const MAX_RANGE_BYTES = 16 << 20
/** A pack of which more than this share is wanted is read whole: one request, and it is kept as it is. */
const WHOLE_SHARE = 0.6

/** How to read missing chunks out of packs whose tables are known: each chunk from one place. */
export function chooseReads(
  missing: readonly MissingEntry[],
  tables: readonly PackTable[],
): { whole: RecordPack[]; ranges: PackRange[] } {
  const wanted = new DigestSet()
  for (const { digest } of missing) wanted.add(digest)
  const taken = new DigestSet()
  const whole: RecordPack[] = []
  const ranges: PackRange[] = []
  for (const { pack, entries } of tables) {
    const selected = entries.filter(
      ({ kind, digest }) => kind === 'chunk' && wanted.has(digest) && taken.add(digest),
    )
    const bytes = selected.reduce((sum, { storedBytes }) => sum + storedBytes, 0)
    if (bytes > pack.sizeBytes * WHOLE_SHARE) whole.push(pack)
    else ranges.push(...rangesOf(pack, selected))
  }
  return { whole, ranges }
}

/** The reads that bring some entries of a pack, given in the order of their offsets. */
export function rangesOf(pack: RecordPack, entries: readonly PackEntry[]): PackRange[] {
  const ranges: PackRange[] = []
  let current: PackRange | undefined
  for (const entry of entries) {
    const end = entry.offset + entry.storedBytes
    const joins =
      current !== undefined &&
      entry.offset - current.endExclusive <= MAX_GAP_BYTES &&
      end - current.start <= MAX_RANGE_BYTES
    if (current !== undefined && joins) {
      current.entries.push(entry)
      current.endExclusive = end
    } else {
      current = { pack: pack.name, start: entry.offset, endExclusive: end, entries: [entry] }
      ranges.push(current)
    }
  }
  return ranges
}
