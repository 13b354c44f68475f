import pLimit from 'p-limit'
import type { PackName } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import { packKey } from '../../store/store-layout.ts'
import { describePack } from '../objects/describe-pack.ts'
import { untilUndamaged } from '../objects/until-undamaged.ts'
import type { RemoteView } from './remote-view.ts'

const REQUESTS_AT_ONCE = 8

/** Looks at packs, and says of those that are there what this repository's records do, or else they themselves. */
export async function describePacks(view: RemoteView, names: readonly PackName[]): Promise<RecordPack[]> {
  if (names.length === 0) return []
  const limit = pLimit(REQUESTS_AT_ONCE)
  const describe = async (name: PackName) => {
    const entry = await view.remote.stat(packKey(name))
    if (entry === undefined) return []
    const known = view.recordedPacks.get(name)
    if (known?.sizeBytes === entry.sizeBytes) return [known]
    return [await untilUndamaged(() => describePack(view.remote, name, entry.sizeBytes), view.onMended)]
  }
  return (await Promise.all(names.map((name) => limit(() => describe(name))))).flat()
}
