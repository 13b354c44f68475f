import { describe, expect, test } from 'vitest'
import type { Remote } from '../../../../core/remote.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { publishIfDue } from '../../../../core/transfer/push/publish-if-due.ts'
import { areNamesPublished, publishNames } from '../../../../core/transfer/push/published-names.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { parsePublished } from '../../../../remotes/http/parse-published.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion } from '../../../support/build-store.ts'
import {
  intercepting,
  keysOf,
  makeClone,
  push,
  REPOSITORY,
  readKey,
} from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

const OTHER = 'f'.repeat(32)

async function publishedOn(remote: Remote): Promise<string[]> {
  return parsePublished(await readKey(remote, 'published.json'), 'published.json').keys.map(([key]) => key)
}

/** What must be published: of all repositories. */
async function namesOn(remote: Remote): Promise<string[]> {
  const keys = [...(await keysOf(remote, 'index/')), ...(await keysOf(remote, 'roots/'))]
  return keys.filter((key) => !key.endsWith('.intent'))
}

async function writeKeys(remote: Remote, keys: readonly string[]): Promise<void> {
  for (const key of keys) await remote.write(key, sourceOf(Buffer.from(key)))
}

describe('publishNames', () => {
  test('writes names and sizes of segments and final records, and of nothing else', async () => {
    const remote = createMemoryRemote()
    await writeKeys(remote, ['varve.json', 'packs/ab/x.pack', 'sample/1.idx', 'gc/1'])
    await writeKeys(remote, ['roots/b/2.final', 'roots/a/1.final', 'roots/a/3.intent', 'index/1.idx'])
    await publishNames(remote)
    const { keys } = parsePublished(await readKey(remote, 'published.json'), 'published.json')
    expect(keys).toEqual(
      ['index/1.idx', 'roots/a/1.final', 'roots/b/2.final'].map((key) => [key, key.length]),
    )
  })

  test('of one who wrote before another had finished, and after, leaves a complete one', async () => {
    const inner = createMemoryRemote()
    await writeKeys(inner, ['index/1.idx'])
    let isFirst = true
    const slow = intercepting(inner, async (_verb, key) => {
      if (key !== 'published.json' || !isFirst) return
      isFirst = false
      await writeKeys(inner, ['index/2.idx', 'roots/a/2.final'])
      await publishNames(inner)
    })
    await publishNames(slow)
    expect(await publishedOn(inner)).toEqual(['index/1.idx', 'index/2.idx', 'roots/a/2.final'])
  })

  test('drops what is gone', async () => {
    const remote = createMemoryRemote()
    await writeKeys(remote, ['index/1.idx', 'index/2.idx'])
    await publishNames(remote)
    await remote.remove('index/1.idx')
    await publishNames(remote)
    expect(await publishedOn(remote)).toEqual(['index/2.idx'])
  })

  test('ends, though the listing never stands still', async () => {
    const inner = createMemoryRemote()
    let writes = 0
    const busy = intercepting(inner, (_verb, key) => {
      writes++
      return key === 'published.json' ? writeKeys(inner, [`index/${writes}.idx`]) : undefined
    })
    await publishNames(busy)
    expect(writes).toBe(5)
  })

  test('costs one write, and two listings before and after it', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    await writeKeys(remote, ['index/1.idx'])
    const before = { ...counts }
    await publishNames(remote)
    expect([counts.write - before.write, counts.list, counts.read, counts.stat]).toEqual([1, 4, 0, 0])
  })

  test('that is aborted is INTERRUPTED', async () => {
    await expect(publishNames(createMemoryRemote(), AbortSignal.abort())).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
  })
})

describe('areNamesPublished', () => {
  test.each([
    ['none', undefined, false],
    ['a shorter one', '{}', false],
    ['a longer one', 'x'.repeat(100_000), false],
  ])('of a place with %s is %s', async (_name, text, expected) => {
    const remote = createMemoryRemote()
    await writeKeys(remote, ['index/1.idx'])
    if (text !== undefined) await remote.write('published.json', sourceOf(Buffer.from(text)))
    expect(await areNamesPublished(remote)).toBe(expected)
    await publishNames(remote)
    expect(await areNamesPublished(remote)).toBe(true)
    await writeKeys(remote, ['index/2.idx'])
    expect(await areNamesPublished(remote)).toBe(false)
  })

  test('misses nothing in an empty place', async () => {
    expect(await areNamesPublished(createMemoryRemote())).toBe(true)
  })
})

describe('a push', () => {
  test('publishes what it and others wrote', async () => {
    const remote = createMemoryRemote()
    const [mine, theirs] = [makeClone(remote), makeClone(remote, OTHER)]
    await push(theirs, [addVersion(theirs.store, { a: 'theirs' })], { repositoryId: OTHER })
    expect(await publishedOn(remote)).toEqual(await namesOn(remote))
    await push(mine, [addVersion(mine.store, { a: 'mine' })])
    expect(await publishedOn(remote)).toEqual(await namesOn(remote))
    expect(await namesOn(remote)).toHaveLength(4)
  })

  test('beside seven others leaves a complete listing', async () => {
    const remote = createMemoryRemote()
    const clones = Array.from({ length: 8 }, () => makeClone(remote))
    await Promise.all(
      clones.map((clone, at) => push(clone, [addVersion(clone.store, { text: `clone ${at}` })])),
    )
    expect(await namesOn(remote)).toHaveLength(16)
    expect(await publishedOn(remote)).toEqual(await namesOn(remote))
  })

  test('that was cut off before it published is made up for by the next, though that has nothing to send', async () => {
    const { remote: inner, counts } = withCounting(createMemoryRemote())
    const failing = intercepting(inner, (_verb, key) => {
      if (key === 'published.json') throw new Error('the line is cut')
    })
    const clone = makeClone(failing)
    await expect(push(clone, [addVersion(clone.store, { a: 'one' })])).rejects.toThrow('the line is cut')
    expect(await keysOf(inner)).not.toContain('published.json')
    const view = new RemoteView({ remote: inner, folder: clone.view.folder, repositoryId: REPOSITORY })
    await publishIfDue(view, {})
    expect(await publishedOn(inner)).toEqual(await namesOn(inner))
    const before = { ...counts }
    await publishIfDue(view, {})
    expect(counts).toEqual(before)
  })
})

describe('a push of nothing', () => {
  const viewOf = (remote: Remote) =>
    new RemoteView({ remote, folder: makeTemporaryFolder(), repositoryId: REPOSITORY })

  test('from a clone that has not pushed looks once whether all is published', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const clone = makeClone(remote)
    await push(clone, [addVersion(clone.store, { a: 'one' })])
    const view = viewOf(remote)
    const before = { ...counts }
    await publishIfDue(view, {})
    expect([counts.list - before.list, counts.read - before.read, counts.write - before.write]).toEqual([
      2, 1, 0,
    ])
    await publishIfDue(view, {})
    expect(counts.list - before.list).toBe(2)
  })

  test('publishes what a version that did not has pushed', async () => {
    const remote = createMemoryRemote()
    await writeKeys(remote, ['varve.json', 'index/1.idx', 'roots/a/1.final'])
    await publishIfDue(viewOf(remote), {})
    expect(await publishedOn(remote)).toEqual(['index/1.idx', 'roots/a/1.final'])
  })

  test('to an empty place writes nothing', async () => {
    const remote = createMemoryRemote()
    await publishIfDue(viewOf(remote), {})
    expect(await keysOf(remote)).toEqual([])
  })

  test('that is only a rehearsal notes nothing', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const view = viewOf(remote)
    for (let round = 1; round <= 2; round++) {
      await publishIfDue(view, { isRehearsal: true })
      expect(counts.list).toBe(2 * round)
    }
  })
})
