import pLimit from 'p-limit'
import type { PackName } from '../../format/pack.ts'
import type { Remote } from '../../remote.ts'
import { packKey } from '../../store/store-layout.ts'

/** Above this, looking at the packs one by one costs more than listing them. */
const MOST_STATS = 64
const REQUESTS_AT_ONCE = 8
/** A page of a listing has a thousand keys, and pages come one after the other: worth that many looks. */
const LISTED_PER_STAT = 1000 / REQUESTS_AT_ONCE

/** The sizes that a remote has of these packs, in bytes; none of those that it lacks. It may give more than asked. */
export async function packSizes(
  remote: Remote,
  names: ReadonlySet<PackName>,
): Promise<Map<PackName, number>> {
  const sizes = new Map<PackName, number>()
  if (names.size > MOST_STATS) {
    const isComplete = await listSizes(remote, sizes, names.size * LISTED_PER_STAT)
    if (isComplete) return sizes
  }
  const limit = pLimit(REQUESTS_AT_ONCE)
  const stat = async (name: PackName) => {
    const entry = await remote.stat(packKey(name))
    if (entry !== undefined) sizes.set(name, entry.sizeBytes)
  }
  const left = [...names].filter((name) => !sizes.has(name))
  await Promise.all(left.map((name) => limit(() => stat(name))))
  return sizes
}

/** Gives up after `mostKeys`: the remote is so large that looking costs less. Whether it is complete. */
async function listSizes(remote: Remote, sizes: Map<PackName, number>, mostKeys: number): Promise<boolean> {
  let count = 0
  for await (const { key, sizeBytes } of remote.list('packs/')) {
    sizes.set(key.slice(-'.pack'.length - 64, -'.pack'.length) as PackName, sizeBytes)
    if (++count > mostKeys) return false
  }
  return true
}
