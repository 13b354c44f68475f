import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import type { Remote } from '../../remote.ts'
import { type OnMended, untilUndamaged } from './until-undamaged.ts'

/** An immutable object of a remote, as a listing has it. */
export type ListedFile<Name extends string = string> = { name: Name; sizeBytes: number; modifiedAt: Date }

const REQUESTS_AT_ONCE = 8

/** What lies under a prefix, by the names that `nameOf` gives to keys that it knows. */
export async function listFiles<Name extends string>(
  remote: Remote,
  prefix: string,
  nameOf: (rest: string) => Name | undefined,
): Promise<Map<Name, ListedFile<Name>>> {
  const listed = new Map<Name, ListedFile<Name>>()
  for await (const { key, sizeBytes, modifiedAt } of remote.list(prefix)) {
    const name = nameOf(key.slice(prefix.length))
    if (name !== undefined) listed.set(name, { name, sizeBytes, modifiedAt })
  }
  return listed
}

/** Fetches several at once; false where one was gone: something has taken its place, which another listing tells. */
export async function fetchAll<T>(
  items: readonly T[],
  fetch: (item: T) => Promise<void>,
  onMended?: OnMended,
): Promise<boolean> {
  const limit = pLimit(REQUESTS_AT_ONCE)
  let areAllThere = true
  const fetchIfThere = async (item: T) => {
    try {
      await untilUndamaged(() => fetch(item), onMended)
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
      areAllThere = false
    }
  }
  await Promise.all(items.map((item) => limit(() => fetchIfThere(item))))
  return areAllThere
}

/** Runs `listAndFetch` until nothing was gone; a name that stays listed and cannot be read is passed over. */
export async function untilAllThere(listAndFetch: () => Promise<boolean>): Promise<void> {
  for (let round = 1; round <= MOST_ROUNDS; round++) if (await listAndFetch()) return
}

const MOST_ROUNDS = 3
