import { expect, test } from 'vitest'
import { contentIdFromDigest, digestOf } from '../../../../core/content-id.ts'
import { DigestSet } from '../../../../core/store/digest-set.ts'
import { RemoteChunks } from '../../../../core/transfer/fetch/remote-chunks.ts'
import { createWorkers } from '../../../../core/workers/workers.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { addVersion, noise } from '../../../support/build-store.ts'
import { makeClone, packsOn, push } from '../../../support/remote-fixture.ts'

const FILES = { a: noise(10_000, 1), b: noise(10_000, 2), c: noise(10_000, 3), d: noise(10_000, 4) }

test('what lay in a pack that has gone since it was located is read from another, each time', async () => {
  const remote = createMemoryRemote()
  const source = makeClone(remote)
  const entry = addVersion(source.store, FILES)
  if (entry.kind === 'link') throw new Error('a link has no bytes')
  await push(source, [entry])
  const { store, view } = makeClone(remote)
  await view.refreshRecords()
  const workers = createWorkers({ threads: 0 })
  const chunks = new RemoteChunks({
    ...{ store, view, workers, jobs: 2 },
    ids: [contentIdFromDigest(entry.digest)],
  })
  const digests = Object.values(FILES).map((bytes) => digestOf(bytes))
  const halves = [digests.slice(0, 2), digests.slice(2)].map((some) => {
    const wanted = new DigestSet()
    for (const digest of some) wanted.add(digest)
    return wanted
  })
  const located = []
  for (const wanted of halves) located.push({ wanted, where: (await chunks.locate(wanted))! })
  for (const key of await packsOn(remote)) await remote.remove(key)
  const other = makeClone(remote)
  await push(other, [addVersion(other.store, { ...FILES, e: 'other' })])
  const { signal } = new AbortController()
  for (const { wanted, where } of located) {
    const read: string[] = []
    await chunks.read({
      ...{ wanted, where, signal },
      async onBlock({ entries }) {
        for (const { digest } of entries) read.push(contentIdFromDigest(digest))
      },
    })
    expect(read.sort()).toEqual([...wanted].map(contentIdFromDigest).sort())
  }
})
