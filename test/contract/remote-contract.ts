import { afterEach, beforeEach, describe } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { describeHostileKeys } from './hostile-keys.ts'
import { describeLists } from './lists.ts'
import { describePublishedLists } from './published-lists.ts'
import { describeReadOnly } from './read-only.ts'
import { describeReads } from './reads.ts'
import { describeWriteFailures } from './write-failures.ts'
import { describeWrites } from './writes.ts'

export type RemoteUnderTest = {
  remote: Remote
  /** Of a kind that is read-only: another remote at the same place, through which the suite writes. */
  writer?: Remote
  cleanUp: () => Promise<void>
}

export type RemoteAbilities = {
  /** `ifAbsent` holds among concurrent writers. Without it, one racing test is skipped by name. */
  atomicIfAbsent: boolean
  /** How many keys the listing test writes: more than one page of the kind's listing. */
  manyKeys: number
  /** It refuses every change, and lists what `published.json` names. */
  readOnly: boolean
}

/** The remote of the running test. */
export type CurrentRemote = () => Remote

/** What every kind of remote promises. `makeRemote` gives an empty one for each test. */
export function describeRemoteContract(
  name: string,
  makeRemote: () => Promise<RemoteUnderTest>,
  abilities: Partial<RemoteAbilities> = {},
): void {
  const { atomicIfAbsent = true, manyKeys = 1500, readOnly = false } = abilities
  describe(`the contract of a remote: ${name}`, () => {
    let current: RemoteUnderTest | undefined
    beforeEach(async () => {
      current = await makeRemote()
    })
    afterEach(async () => {
      await current?.cleanUp()
      current = undefined
    })
    const running = () => {
      if (current === undefined) throw new Error('no test is running')
      return current
    }
    const remote: CurrentRemote = () => running().remote
    const writer: CurrentRemote = () => running().writer ?? running().remote
    describeReads(remote, writer)
    describeHostileKeys(remote, writer)
    if (readOnly) {
      describeReadOnly(remote, writer)
      describePublishedLists(remote, writer, { manyKeys })
      return
    }
    describeWrites(remote, { atomicIfAbsent })
    describeWriteFailures(remote)
    describeLists(remote, { manyKeys })
  })
}
