import { appendFileSync, readFileSync, rmSync, symlinkSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { walkTree } from '../../../core/store/find-in-tree.ts'
import { addVersion, noise } from '../../support/build-store.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { readVersion } from '../../support/remote-fixture.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { Workspace, watchedWorkers } from '../../support/workspace-fixture.ts'

function makeWorkspace(files: Record<string, string | Uint8Array>) {
  const workspace = new Workspace()
  writeFiles(workspace.root, files)
  const pathsOf = (entry: TreeEntry) => [...walkTree(workspace.store, entry, 'data')].map(({ path }) => path)
  return { workspace, pathsOf, at: (path: string) => join(workspace.root, path) }
}

function idOf({ entry }: { entry: TreeEntry }): unknown {
  return entry.kind === 'link' ? entry : { ...entry, digest: hexOf(entry.digest) }
}

describe('a snapshot', () => {
  it('names the same content by the same id, from files or from memory', async () => {
    const big = noise(700_000, 1)
    const { workspace } = makeWorkspace({ 'data/a': '1', 'data/sub/big': big, 'data/empty': '' })
    const { entry, files } = await workspace.add()
    expect(entry).toEqual(addVersion(workspace.store, { a: '1', sub: { big }, empty: '' }))
    expect(files).toBe(3)
    expect(readVersion(workspace.store, entry).size).toBe(3)
  })

  it('reads nothing the second time, and again what the store has lost', async () => {
    const { workspace } = makeWorkspace({ 'data/a': '1', 'data/b': '2' })
    // A file that is read in the tick in which it was written is not trusted to stay as it is.
    await setTimeout(50)
    const { entry } = await workspace.add()
    workspace.workers = watchedWorkers(() => expect.fail('a file was read'))
    expect(idOf(await workspace.add())).toEqual(idOf({ entry }))
    // The same workspace and cache with an empty store.
    const fresh = new Workspace()
    Object.assign(fresh, { root: workspace.root, cache: workspace.cache })
    expect((await fresh.add()).entry).toEqual(entry)
    expect(readVersion(fresh.store, entry).size).toBe(2)
  })

  it('keeps what a part left out, and drops what was deleted', async () => {
    const { workspace, pathsOf } = makeWorkspace({ 'data/in/a': 'changed', 'data/in/new': 'n' })
    const previous = addVersion(workspace.store, {
      in: { a: '1', deleted: '2' },
      out: { deep: { b: '3' }, c: '4' },
      'left out': '5',
    })
    const isLeftOut = (path: string) => !path.startsWith('data/in/') && path !== 'data/in'
    const { entry, files } = await workspace.add({ previous, isLeftOut })
    expect(pathsOf(entry)).toEqual([
      ...['data', 'data/in', 'data/in/a', 'data/in/new', 'data/left out'],
      ...['data/out', 'data/out/c', 'data/out/deep', 'data/out/deep/b'],
    ])
    expect(files).toBe(5)
  })
})

describe('a file that changes while it is read', () => {
  const BIG_BYTES = 20 << 20

  it('after it was listed is read as it is now', async () => {
    const { workspace, at } = makeWorkspace({ 'data/a': 'before', 'data/b': 'before' })
    let changed = false
    workspace.workers = watchedWorkers(() => {
      if (!changed) writeFiles(workspace.root, { 'data/a': 'grown since it was listed', 'data/b': 'shr' })
      changed = true
    })
    const { entry } = await workspace.add()
    expect(entry).toEqual(addVersion(workspace.store, { a: 'grown since it was listed', b: 'shr' }))
    expect(readFileSync(at('data/a'), 'utf8')).toBe('grown since it was listed')
  })

  it('once is read again, from its start', async () => {
    const { workspace, at } = makeWorkspace({ 'data/big': noise(BIG_BYTES, 2) })
    let questions = 0
    workspace.workers = watchedWorkers(() => {
      if (++questions === 3) appendFileSync(at('data/big'), 'more')
    })
    const { entry } = await workspace.add()
    const now = readFileSync(at('data/big'))
    expect(now.length).toBe(BIG_BYTES + 4)
    expect(entry).toMatchObject({ sizeBytes: BIG_BYTES + 4 })
    expect([...readVersion(workspace.store, entry).values()]).toEqual([digestOf(now).toString('hex')])
  })

  it('all the time is refused by name', async () => {
    const { workspace, at } = makeWorkspace({ 'data/big': noise(BIG_BYTES, 3), 'data/a': '1' })
    workspace.workers = watchedWorkers(() => appendFileSync(at('data/big'), 'more'))
    expect(await varveErrorFrom(workspace.add())).toMatchObject({
      code: 'CHANGED_WHILE_READING',
      message: 'data/big changed or vanished while it was being read',
      hint: expect.stringContaining('run the command again'),
    })
  })

  it('and vanishes, is cut short, or becomes a link, is refused or taken as it is', async () => {
    const { workspace, at } = makeWorkspace({ 'data/a': '1', 'data/secret': 'elsewhere' })
    workspace.workers = watchedWorkers(() => rmSync(at('data/a'), { force: true }))
    const refusal = { code: 'CHANGED_WHILE_READING', message: /^data\/a changed or vanished/ }
    expect(await varveErrorFrom(workspace.add())).toMatchObject({ code: refusal.code })
    writeFiles(workspace.root, { 'data/a': '1' })
    workspace.workers = watchedWorkers(() => {
      rmSync(at('data/a'), { force: true })
      symlinkSync('secret', at('data/a'))
    })
    expect((await varveErrorFrom(workspace.add())).message).toMatch(refusal.message)
    rmSync(at('data/a'))
    writeFiles(workspace.root, { 'data/a': 'long' })
    workspace.workers = watchedWorkers(() => truncateSync(at('data/a'), 2))
    const { entry } = await workspace.add()
    expect(entry).toEqual(addVersion(workspace.store, { a: 'lo', secret: 'elsewhere' }))
  })
})
