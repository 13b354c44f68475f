import { existsSync, readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { TreeEntry } from '../../../../core/format/tree.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { rehearse } from '../../../../core/transfer/push/rehearsal-remote.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion, noise } from '../../../support/build-store.ts'
import {
  type Clone,
  intercepting,
  keysOf,
  makeClone,
  push,
  readElsewhere,
  readKey,
  readVersion,
  reopen,
} from '../../../support/remote-fixture.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const SMALL = { a: 'one', b: { c: 'two', d: '' }, big: noise(500_000, 1) }
const OTHER_REPOSITORY = 'f'.repeat(32)

type Options = NonNullable<Parameters<typeof push>[2]>

async function rehearsePush(clone: Clone, entries: readonly TreeEntry[], options: Options = {}) {
  const { remote, requests } = rehearse(clone.remote)
  const view = clone.view.rehearsal(remote)
  const pushed = await push({ ...clone, view, remote }, entries, { ...options, isRehearsal: true })
  view.close()
  return { pushed, requests }
}

/** All that is kept, but for what was cached of the remote. */
function filesOf({ store, view }: Clone): string[] {
  const list = (folder: string) =>
    existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : []
  const cached = /^(index|roots|packs|tmp|sent)(\/|$)/
  return [...list(store.root), ...list(view.folder).filter((path) => !cached.test(path))]
}

/** Rehearses a push, sees that it changed nothing, pushes, and compares. Gives what the two have in common. */
async function expectSame(clone: Clone, entries: readonly TreeEntry[], options: Options = {}) {
  const before = { keys: await keysOf(clone.remote), files: filesOf(clone) }
  const { pushed: planned, requests } = await rehearsePush(clone, entries, options)
  expect({ keys: await keysOf(clone.remote), files: filesOf(clone) }).toEqual(before)
  const { remote, counts } = withCounting(clone.remote)
  const pushed = await push(reopen(clone, remote, options.repositoryId), entries, options)
  const { largeWrites, bytesWritten, ...verbs } = requests
  expect(planned).toEqual(pushed)
  expect({ ...verbs, bytesWritten: counts.bytesWritten }).toEqual(counts)
  // Records are compressed, and have the time and the names of new packs in them.
  expect(Math.abs(bytesWritten - counts.bytesWritten)).toBeLessThan(200)
  return { ...pushed, ...verbs, largeWrites }
}

describe('a rehearsed push', () => {
  test('of a first version tells what the real one asks and sends, and makes nothing', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    const same = await expectSame(clone, [entry])
    expect(same).toMatchObject({ packs: 2, remove: 1, largeWrites: 0 })
    expect(await readElsewhere(remote, entry)).toHaveProperty('size', 4)
  })

  test('of a later version, by a clone that has pushed before, from one that has not', async () => {
    const remote = createMemoryRemote()
    const first = makeClone(remote)
    await push(first, [addVersion(first.store, SMALL)])
    const changed = { ...SMALL, big: Buffer.concat([SMALL.big, noise(200_000, 2)]) }
    const again = reopen(first)
    await expectSame(again, [addVersion(again.store, changed)])
    const second = makeClone(remote)
    // It reads the packs in which recipes lie, the segments and the records: once, and keeps them.
    const same = await expectSame(second, [addVersion(second.store, { ...changed, new: 'new' })])
    expect(same.read).toBe(1)
  })

  test('of a part, for which packs are cut', async () => {
    const clone = makeClone(createMemoryRemote())
    const entry = addVersion(clone.store, { train: { a: noise(400_000, 3) }, test: { b: noise(300_000, 4) } })
    const same = await expectSame(clone, [entry], { paths: ['data/test'] })
    expect(same.bytes).toBeLessThan(310_000)
  })

  test('that leans on packs of another repository', async () => {
    const remote = createMemoryRemote()
    const theirs = makeClone(remote, OTHER_REPOSITORY)
    await push(theirs, [addVersion(theirs.store, SMALL)], { repositoryId: OTHER_REPOSITORY })
    const clone = makeClone(remote)
    const same = await expectSame(clone, [addVersion(clone.store, { ...SMALL, own: 'own' })])
    // The ends of the packs, each twice, and the format.
    expect(same.read).toBeGreaterThan(4)
  })

  test('after one that was cut off counts what that had sent as there', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    const failing = intercepting(remote, (verb, key) => {
      if (verb === 'write' && key.endsWith('.final')) throw new Error('cut off')
    })
    await expect(push(reopen(clone, failing), [entry])).rejects.toThrow('cut off')
    const same = await expectSame(reopen(clone), [entry])
    expect(same).toMatchObject({ packs: 0, bytes: 0 })
    expect(await readElsewhere(remote, entry)).toEqual(readVersion(reopen(clone).store, entry))
  })

  test('counts packs of more than 16 MiB', async () => {
    const clone = makeClone(createMemoryRemote())
    const same = await expectSame(clone, [addVersion(clone.store, { large: noise(17 << 20, 5) })])
    expect(same.largeWrites).toBe(1)
  })

  test('refuses what a push refuses', async () => {
    const elsewhere = makeClone(createMemoryRemote())
    const entry = addVersion(elsewhere.store, SMALL)
    const clone = makeClone(createMemoryRemote())
    expect((await varveErrorFrom(rehearsePush(clone, [entry]))).code).toBe('MISSING_BYTES')
    expect(await keysOf(clone.remote)).toEqual([])
  })
})

describe('rehearse', () => {
  test('shows what was written and removed, which the remote never sees', async () => {
    const inner = createMemoryRemote()
    await inner.write('packs/a', sourceOf(Buffer.from('old')))
    await inner.write('packs/b', sourceOf(Buffer.from('b')))
    const { remote } = rehearse(inner)
    await remote.write('packs/a', sourceOf(Buffer.from('newer')))
    await remote.write('packs/c', sourceOf(Buffer.from('c')), { ifAbsent: true })
    await remote.remove('packs/b')
    expect(await keysOf(remote)).toEqual(['packs/a', 'packs/c'])
    expect((await readKey(remote, 'packs/a')).toString()).toBe('newer')
    expect((await remote.stat('packs/a'))?.sizeBytes).toBe(5)
    expect(await remote.stat('packs/b')).toBeUndefined()
    expect(await keysOf(inner)).toEqual(['packs/a', 'packs/b'])
    expect((await readKey(inner, 'packs/a')).toString()).toBe('old')
  })

  test('refuses to create what is there, truly or not', async () => {
    const inner = createMemoryRemote()
    await inner.write('varve.json', sourceOf(Buffer.from('{}')))
    const { remote } = rehearse(inner)
    await remote.write('other', sourceOf(Buffer.from('x')))
    for (const key of ['varve.json', 'other']) {
      const writing = remote.write(key, sourceOf(Buffer.from('y')), { ifAbsent: true })
      expect((await varveErrorFrom(writing)).code).toBe('ALREADY_EXISTS')
    }
  })
})
