import type { Digest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import type { EntryKind, PackName } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import { describePacks } from '../view/describe-packs.ts'
import type { RemoteView } from '../view/remote-view.ts'

type Entry = { kind: EntryKind; digest: Digest }

/** Asking all segments of a large index for one entry takes hundreds of requests: its pack's table tells of the others. */
const MOST_ASKED = 8

/**
 * Every pack that the remote's index names for these entries and that is there: of two recipes one may be a lie. For
 * what is in no pack as it is, those that tell how it is put together. Of an index that is not here as a whole,
 * packs of some of the entries: it is to be asked again for what they do not hold.
 */
export async function locateByIndex(
  view: RemoteView,
  wanted: readonly Entry[],
  signal?: AbortSignal,
): Promise<RecordPack[]> {
  const found = await describePacks(view, [...packsIn(view.index, wanted)])
  if (found.length > 0 || !view.isPartial) return found
  const sampled = await describePacks(view, [...packsIn(await allSamples(view, signal), wanted)])
  if (sampled.length > 0) return sampled
  const names = new Set<PackName>()
  for (const { kind, digest } of wanted.slice(0, MOST_ASKED)) {
    const kinds: EntryKind[] = kind === 'chunk' ? ['chunk', 'recipe'] : [kind]
    for (const pack of await view.segments.packsElsewhere(kinds, digest, signal)) names.add(pack)
  }
  return describePacks(view, [...names])
}

function packsIn(
  index: Pick<RemoteView['index'], 'has' | 'findAll'>,
  wanted: readonly Entry[],
): Set<PackName> {
  const names = new Set<PackName>()
  for (const { kind, digest } of wanted) {
    const isThere = index.has(kind, digest)
    for (const { pack } of index.findAll(isThere ? kind : 'recipe', digest)) names.add(pack)
  }
  return names
}

/** Without samples all can be found, at the price of more requests. */
async function allSamples({ samples, segments }: RemoteView, signal: AbortSignal | undefined) {
  try {
    await samples.fetch(await samples.list(segments.absent), signal)
  } catch (error) {
    if (!(error instanceof VarveError) || error.retryable || error.code === 'INTERRUPTED') throw error
  }
  return samples.set
}
