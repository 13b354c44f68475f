import pLimit from 'p-limit'
import type { PackName } from '../format/pack.ts'
import type { Remote } from '../remote.ts'
import { packKey } from '../store/store-layout.ts'

/** Above this, looking at the packs one by one costs more than listing them. */
const MOST_STATS = 64
const REQUESTS_AT_ONCE = 8

/** The sizes that a remote has of these packs, in bytes; none of those that it lacks. It may give more than asked. */
export async function packSizes(
  remote: Remote,
  names: ReadonlySet<PackName>,
): Promise<Map<PackName, number>> {
  const sizes = new Map<PackName, number>()
  if (names.size > MOST_STATS) {
    for await (const { key, sizeBytes } of remote.list('packs/')) {
      sizes.set(key.slice(-'.pack'.length - 64, -'.pack'.length) as PackName, sizeBytes)
    }
    return sizes
  }
  const limit = pLimit(REQUESTS_AT_ONCE)
  const stat = async (name: PackName) => {
    const entry = await remote.stat(packKey(name))
    if (entry !== undefined) sizes.set(name, entry.sizeBytes)
  }
  await Promise.all([...names].map((name) => limit(() => stat(name))))
  return sizes
}
