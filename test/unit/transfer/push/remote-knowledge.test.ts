import { describe, expect, test } from 'vitest'
import type { PackName } from '../../../../core/format/pack.ts'
import type { TreeEntry } from '../../../../core/format/tree.ts'
import type { Key, Remote } from '../../../../core/remote.ts'
import { Store } from '../../../../core/store/store.ts'
import type { IndexLimits } from '../../../../core/transfer/view/remote-index.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion, noise } from '../../../support/build-store.ts'
import {
  type Clone,
  fetch,
  keysOf,
  packsOn,
  push,
  REPOSITORY,
  readElsewhere,
  readVersion,
} from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

const OTHER_REPOSITORY = 'f'.repeat(32)
const MIB = 1 << 20

/** As if the index were of gigabytes: none of it is kept here, and all has samples. */
const LARGE: IndexLimits = { wholeBytes: 0, partBytes: 0, buildBytes: 0, sampledBytes: 0 }

function largeClone(remote: Remote, repositoryId = REPOSITORY, limits: Partial<IndexLimits> = {}): Clone {
  const options = { remote, folder: makeTemporaryFolder(), repositoryId }
  const view = new RemoteView({ ...options, indexLimits: { ...LARGE, ...limits } })
  return { store: Store.open(makeTemporaryFolder()), view, remote }
}

function withReads(inner: Remote) {
  const reads: Key[] = []
  const { remote, counts } = withCounting({
    ...inner,
    read(key, options) {
      reads.push(options?.range === undefined ? key : `${key} in part`)
      return inner.read(key, options)
    },
  })
  return { remote, counts, reads }
}

const isSegment = (key: Key) => /^index\/.*idx$/.test(key)
const LARGE_FILES = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`file ${i}`, noise(MIB, i)]))

async function pushedBase(remote: Remote, repositoryId = REPOSITORY): Promise<TreeEntry> {
  const clone = largeClone(remote, repositoryId)
  const entry = addVersion(clone.store, LARGE_FILES)
  await push(clone, [entry], { repositoryId })
  return entry
}

describe('a push to a remote with a large index', () => {
  test('leans on the packs of the version before, and reads no segment', async () => {
    const { remote, counts, reads } = withReads(createMemoryRemote())
    await pushedBase(remote)
    const other = largeClone(remote)
    const changed = addVersion(other.store, { ...LARGE_FILES, 'file 3': noise(MIB, 99) })
    counts.bytesWritten = 0
    reads.length = 0
    await push(other, [changed])
    expect(reads.filter(isSegment)).toEqual([])
    expect(reads.some((key) => key.startsWith('packs/'))).toBe(true)
    expect(counts.bytesWritten).toBeGreaterThan(MIB)
    expect(counts.bytesWritten).toBeLessThan(1.5 * MIB)
    expect(await readElsewhere(remote, changed)).toEqual(readVersion(other.store, changed))
  })

  test('leans on what its own store has under the same name, and reads no table either', async () => {
    const { remote, counts, reads } = withReads(createMemoryRemote())
    const clone = largeClone(remote)
    await push(clone, [addVersion(clone.store, LARGE_FILES)])
    const changed = addVersion(clone.store, { ...LARGE_FILES, 'file 3': noise(MIB, 99) })
    const view = largeClone(remote).view
    counts.bytesWritten = 0
    reads.length = 0
    await push({ ...clone, view }, [changed])
    expect(reads.filter((key) => isSegment(key) || key.startsWith('packs/'))).toEqual([])
    expect(counts.bytesWritten).toBeLessThan(1.5 * MIB)
    expect(await readElsewhere(remote, changed)).toEqual(readVersion(clone.store, changed))
  })

  test('finds by samples what another repository sent', async () => {
    const { remote, counts, reads } = withReads(createMemoryRemote())
    await pushedBase(remote, OTHER_REPOSITORY)
    const clone = largeClone(remote)
    const entry = addVersion(clone.store, LARGE_FILES)
    counts.bytesWritten = 0
    reads.length = 0
    expect(await push(clone, [entry])).toMatchObject({ packs: 0, bytes: 0 })
    expect(counts.bytesWritten).toBeLessThan(20_000)
    expect(reads.filter(isSegment)).toEqual([])
    expect(reads.filter((key) => key.startsWith('sample/'))).toHaveLength(1)
    expect(await readElsewhere(remote, entry)).toEqual(readVersion(clone.store, entry))
  })

  test('of little does not ask for samples', async () => {
    const { remote, reads } = withReads(createMemoryRemote())
    await pushedBase(remote, OTHER_REPOSITORY)
    const clone = largeClone(remote)
    const entry = addVersion(clone.store, { little: noise(100_000, 1) })
    const lists: string[] = []
    const watched = {
      ...remote,
      list(prefix: string) {
        lists.push(prefix)
        return remote.list(prefix)
      },
    }
    const view = largeClone(watched).view
    await push({ ...clone, view, remote: watched }, [entry])
    expect(lists).not.toContain('sample/')
    expect(reads.filter((key) => key.startsWith('sample/'))).toEqual([])
  })

  test('of a version of which this store has a part finds the rest on the remote', async () => {
    const remote = createMemoryRemote()
    const entry = await pushedBase(remote)
    const part = largeClone(remote)
    await fetch(part, [entry], { paths: ['data/file 1'] })
    // A record of another path: no parent of this one.
    expect(await push(part, [{ ...entry, name: 'moved' }])).toMatchObject({ packs: 0 })
    expect((await readElsewhere(remote, entry)).size).toBe(6)
  })

  test('sends again what has gone since its table was read, and under new names', async () => {
    const remote = createMemoryRemote()
    const clone = largeClone(remote)
    const entry = addVersion(clone.store, LARGE_FILES)
    await push(clone, [entry])
    const before = await packsOn(remote)
    await push(clone, [{ ...entry, name: 'again' }])
    expect(await packsOn(remote)).toEqual(before)
    for (const key of before) await remote.remove(key)
    const view = largeClone(remote).view
    await push({ ...clone, view }, [entry])
    const after = await packsOn(remote)
    expect(after.length).toBeGreaterThan(0)
    // The names may have been buried in a segment that is not here.
    expect(after.filter((key) => before.includes(key))).toEqual([])
    expect((await readElsewhere(remote, entry)).size).toBe(6)
  })

  test('keeps the smallest segments here, whatever the rest weighs', async () => {
    const { remote, reads } = withReads(createMemoryRemote())
    await pushedBase(remote)
    const clone = largeClone(remote)
    const small = addVersion(clone.store, { a: 'one' }, 'small')
    await push(clone, [small])
    const segments = await keysOf(remote, 'index/')
    reads.length = 0
    const { view } = largeClone(remote, REPOSITORY, { partBytes: 20_000 })
    await view.refreshIndex()
    expect([view.index.names.length, view.isPartial]).toEqual([1, true])
    expect(reads.filter((key) => segments.includes(key))).toHaveLength(1)
    const pack = [...view.index.packs()][0] as PackName
    expect(view.mayBeBuried(pack)).toBe(false)
    await view.refreshRecords()
    expect(view.mayBeBuried(pack)).toBe(true)
  })
})

describe('a fetch without records from a remote with a large index', () => {
  async function withoutRecords(limits: Partial<IndexLimits>) {
    const { remote, reads } = withReads(createMemoryRemote())
    const clone = largeClone(remote, REPOSITORY, limits)
    const entry = addVersion(clone.store, { ...LARGE_FILES, sub: { a: 'one', b: 'two' } })
    await push(clone, [entry])
    for (const key of await keysOf(remote, 'roots/')) await remote.remove(key)
    const reader = largeClone(remote)
    reads.length = 0
    await fetch(reader, [entry])
    expect(readVersion(reader.store, entry)).toEqual(readVersion(clone.store, entry))
    return reads
  }

  test('fetches samples, and asks segments in part for what they do not tell', async () => {
    const reads = await withoutRecords({})
    expect(reads.filter(isSegment)).toEqual([])
    expect(reads.filter((key) => key.startsWith('sample/'))).toHaveLength(1)
  })

  test('finds all by ranged reads of segments where there is no sample', async () => {
    const reads = await withoutRecords({ sampledBytes: Number.POSITIVE_INFINITY })
    expect(reads.filter(isSegment)).toEqual([])
    expect(reads.filter((key) => /^index\/.* in part$/.test(key)).length).toBeGreaterThan(0)
  })
})
