import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentIdFromDigest } from '../../../../core/content-id.ts'
import type { Remote } from '../../../../core/remote.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion } from '../../../support/build-store.ts'
import { keysOf, makeClone, push, REPOSITORY } from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

function viewOf(remote: Remote, folder = makeTemporaryFolder()): RemoteView {
  return new RemoteView({ remote, folder, repositoryId: REPOSITORY })
}

async function pushedTwice() {
  const { remote, counts } = withCounting(createMemoryRemote())
  const clone = makeClone(remote)
  const ids = []
  for (const text of ['one', 'two']) {
    const entry = addVersion(clone.store, { text })
    await push(clone, [entry])
    ids.push(contentIdFromDigest((entry as { digest: Uint8Array }).digest))
  }
  return { remote, counts, clone, ids }
}

describe('RemoteView', () => {
  test('of a place that holds nothing says so', async () => {
    for (const remote of [createMemoryRemote(), createMemoryRemote()]) {
      const { code, hint } = await varveErrorFrom(viewOf(remote).refreshRecords())
      expect([code, hint]).toEqual(['NOT_FOUND', expect.stringContaining('varve remote list')])
    }
  })

  test('fetches records and segments once, and only lists afterwards', async () => {
    const { remote, counts, ids } = await pushedTwice()
    const folder = makeTemporaryFolder()
    const view = viewOf(remote, folder)
    await view.refreshRecords()
    await view.refreshIndex()
    expect([view.records.size, view.index.names.length]).toEqual([2, 2])
    for (const id of ids) expect(view.holdsWhole(id)).toBe(true)
    const before = { ...counts }
    for (const again of [view, viewOf(remote, folder)]) {
      await again.refreshRecords()
      await again.refreshIndex()
      expect([again.records.size, again.index.names.length]).toEqual([2, 2])
    }
    expect(counts).toEqual({ ...before, list: before.list + 4 })
  })

  test('tells who holds just a part, whatever other parts were pushed after it', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, { a: 'one', b: 'two' })
    const id = contentIdFromDigest((entry as { digest: Uint8Array }).digest)
    for (const path of ['data/a', 'data/b']) await push(clone, [entry], { paths: [path] })
    const partOf = (only: string[] | undefined) => clone.view.holderOf(id, only)?.pointer.only
    expect(partOf(['data/a'])).toEqual(['data/a'])
    expect(partOf(['data/b'])).toEqual(['data/b'])
    expect([partOf(['data/c']), clone.view.holderOf(id, undefined)]).toEqual([undefined, undefined])
    await push(clone, [entry])
    for (const only of [undefined, ['data/a']]) {
      expect(clone.view.holderOf(id, only)).toMatchObject({ pointer: { path: 'data' } })
      expect(partOf(only)).toBeUndefined()
    }
  })

  test('drops what the remote no longer lists, while another does the same', async () => {
    const { remote } = await pushedTwice()
    const folder = makeTemporaryFolder()
    const views = [viewOf(remote, folder), viewOf(remote, folder)]
    for (const view of views) {
      await view.refreshRecords()
      await view.refreshIndex()
    }
    for (const prefix of ['roots/', 'index/']) await remote.remove((await keysOf(remote, prefix))[0]!)
    await Promise.all(views.flatMap((view) => [view.refreshRecords(), view.refreshIndex()]))
    for (const view of views) expect([view.records.size, view.index.names.length]).toEqual([1, 1])
  })

  test('passes over what goes between the listing and the reading', async () => {
    const { remote } = await pushedTwice()
    const gone = new Set([(await keysOf(remote, 'roots/'))[0], (await keysOf(remote, 'index/'))[0]])
    const racing: Remote = {
      ...remote,
      async read(key, options) {
        if (gone.has(key)) await remote.remove(key)
        return remote.read(key, options)
      },
    }
    const view = viewOf(racing)
    await view.refreshRecords()
    await view.refreshIndex()
    expect([view.records.size, view.index.names.length]).toEqual([1, 1])
  })

  test('fetches a record again whose copy here is damaged', async () => {
    const { remote } = await pushedTwice()
    const folder = makeTemporaryFolder()
    await viewOf(remote, folder).refreshRecords()
    const records = join(folder, 'roots', REPOSITORY)
    const [first] = readdirSync(records)
    chmodSync(join(records, first!), 0o644)
    writeFileSync(join(records, first!), 'damaged')
    const view = viewOf(remote, folder)
    expect(view.records.size).toBe(1)
    await view.refreshRecords()
    expect(view.records.size).toBe(2)
  })

  test('passes over keys that are none of its own', async () => {
    const { remote } = await pushedTwice()
    const { sourceOf } = await import('../../../../core/transfer/objects/source-of.ts')
    for (const key of [
      `roots/${REPOSITORY}/notes.txt`,
      `roots/${REPOSITORY}/${'a'.repeat(64)}.intent`,
      `roots/${REPOSITORY}/${'A'.repeat(64)}.final`,
      'index/notes.txt',
      `index/${'a'.repeat(63)}.idx`,
    ]) {
      await remote.write(key, sourceOf(Buffer.from('x')))
    }
    const view = viewOf(remote)
    await view.refreshRecords()
    await view.refreshIndex()
    expect([view.records.size, view.index.names.length]).toEqual([2, 2])
  })

  test('prepares a place once', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const folder = makeTemporaryFolder()
    await viewOf(remote, folder).prepare()
    expect(await keysOf(remote)).toEqual(['varve.json'])
    const { write, read } = counts
    await viewOf(remote, folder).prepare()
    expect([counts.write, counts.read]).toEqual([write, read])
    await viewOf(remote).prepare()
    expect(await keysOf(remote)).toEqual(['varve.json'])
    rmSync(folder, { recursive: true })
  })
})
