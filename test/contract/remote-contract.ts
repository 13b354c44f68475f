import { afterEach, beforeEach, describe } from 'vitest'
import type { Remote } from '../../core/remote.ts'
import { describeLists } from './lists.ts'
import { describeReads } from './reads.ts'
import { describeWriteFailures } from './write-failures.ts'
import { describeWrites } from './writes.ts'

export type RemoteUnderTest = { remote: Remote; cleanUp: () => Promise<void> }

export type RemoteAbilities = {
  /** `ifAbsent` holds among concurrent writers. Without it, one racing test is skipped by name. */
  atomicIfAbsent: boolean
  /** How many keys the listing test writes: more than one page of the kind's listing. */
  manyKeys: number
}

/** The remote of the running test. */
export type CurrentRemote = () => Remote

/** What every kind of remote promises. `makeRemote` gives an empty one for each test. */
export function describeRemoteContract(
  name: string,
  makeRemote: () => Promise<RemoteUnderTest>,
  abilities: Partial<RemoteAbilities> = {},
): void {
  const { atomicIfAbsent = true, manyKeys = 1500 } = abilities
  describe(`the contract of a remote: ${name}`, () => {
    let current: RemoteUnderTest | undefined
    beforeEach(async () => {
      current = await makeRemote()
    })
    afterEach(async () => {
      await current?.cleanUp()
      current = undefined
    })
    const remote: CurrentRemote = () => {
      if (current === undefined) throw new Error('no test is running')
      return current.remote
    }
    describeReads(remote)
    describeWrites(remote, { atomicIfAbsent })
    describeWriteFailures(remote)
    describeLists(remote, { manyKeys })
  })
}
