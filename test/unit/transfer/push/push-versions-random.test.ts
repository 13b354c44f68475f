import { expect, test } from 'vitest'
import { decodeRootRecord, decompressRecord, type RecordId } from '../../../../core/format/root-record.ts'
import { Store } from '../../../../core/store/store.ts'
import { packKey } from '../../../../core/store/store-layout.ts'
import { areNamesPublished } from '../../../../core/transfer/push/published-names.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { addVersion } from '../../../support/build-store.ts'
import { keysOf, push, readKey } from '../../../support/remote-fixture.ts'
import {
  expectSame,
  REPOSITORIES,
  readInNewClone,
  type Simulated,
  SMALL_INDEX,
  simulateClones,
} from '../../../support/simulate-clones.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

test('whatever the order of requests, and whoever is killed, all that was pushed is there', async () => {
  const outcome = await simulateClones({ seed: 2, clones: 4, pushes: 6 })
  expect(outcome.kills).toBeGreaterThan(5)
  expect(outcome.merges).toBeGreaterThan(0)
  await expectAllThere(outcome)
})

async function expectAllThere({ remote, versions }: Simulated): Promise<void> {
  // One more push, to which nothing happens: it makes up for what those before it left undone.
  const view = new RemoteView({ remote, folder: makeTemporaryFolder(), repositoryId: REPOSITORIES[0] })
  const store = Store.open(makeTemporaryFolder())
  const last = addVersion(store, 'the last one', 'last')
  await push({ store, view, remote }, [last], { repositoryId: REPOSITORIES[0] })
  for (const version of versions) {
    expectSame(version, await readInNewClone(remote, version))
    // Of another repository, whose records do not name it: by the index alone.
    expectSame(version, await readInNewClone(remote, { ...version, repositoryId: REPOSITORIES[2] }))
    const large = { ...version, repositoryId: REPOSITORIES[2] }
    expectSame(version, await readInNewClone(remote, large, SMALL_INDEX))
  }
  const packs = new Set(await keysOf(remote, 'packs/'))
  for (const key of await keysOf(remote, 'roots/')) {
    if (!key.endsWith('.final')) continue
    const id = key.slice(-'.final'.length - 64, -'.final'.length) as RecordId
    const record = decodeRootRecord(decompressRecord(await readKey(remote, key), id), id)
    for (const { name } of record.packs) expect(packs).toContain(packKey(name))
  }
  expect(await areNamesPublished(remote)).toBe(true)
}
