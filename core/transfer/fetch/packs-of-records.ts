import type { ContentId } from '../../content-id.ts'
import type { PackName } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import type { RemoteView } from '../view/remote-view.ts'

/** The packs that this repository's records name for some versions. */
export function packsOfRecords(view: RemoteView, ids: Iterable<ContentId>): RecordPack[] {
  const packs = new Map<PackName, RecordPack>()
  for (const id of ids) {
    for (const { record, pointer } of view.holdersOf(id)) {
      for (const index of pointer.packs) packs.set(record.packs[index]!.name, record.packs[index]!)
      // The newest record of the whole version names all of it; those of parts add up.
      if (pointer.only === undefined) break
    }
  }
  return [...packs.values()]
}
