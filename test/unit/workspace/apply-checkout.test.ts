import { lstatSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addVersion } from '../../support/build-store.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'
import { treeOf } from '../../support/tree-of.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

async function makeWorkspace(files: Record<string, string>) {
  const workspace = new Workspace()
  writeFiles(workspace.root, files)
  const { entry: base } = await workspace.add()
  return { workspace, base, at: (path: string) => join(workspace.root, path) }
}

describe('carrying out a plan', () => {
  it('brings the workspace there, and knows its files afterwards without reading them', async () => {
    const { workspace, base } = await makeWorkspace({ 'data/a': '1', 'data/x/y': '2', 'data/z': '3' })
    const version = addVersion(workspace.store, {
      a: 'changed',
      x: 'now a file',
      z: { deep: { w: '4' } },
      e: {},
    })
    await workspace.apply(await workspace.plan(version, { base }))
    expect(Object.keys(treeOf(workspace.root)).sort()).toEqual([
      ...['data', 'data/a', 'data/e', 'data/x', 'data/z', 'data/z/deep', 'data/z/deep/w'],
    ])
    const { changes, unchangedFiles } = await workspace.compare(version)
    expect({ changes, unchangedFiles }).toEqual({ changes: [], unchangedFiles: 3 })
  })

  it('stops at a file that was changed since it was planned', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/a': '1', 'data/b': '1' })
    const plan = await workspace.plan(addVersion(workspace.store, { a: '2' }), { base })
    writeFiles(workspace.root, { 'data/a': 'changed meanwhile' })
    expect(await varveErrorFrom(workspace.apply(plan))).toMatchObject({
      code: 'WOULD_LOSE_DATA',
      message: 'data/a was changed while varve was at work',
    })
    expect(readFileSync(at('data/a'), 'utf8')).toBe('changed meanwhile')
    writeFiles(workspace.root, { 'data/b': 'changed meanwhile' })
    const removing = await workspace.plan(addVersion(workspace.store, { a: 'x' }), { base, force: true })
    writeFiles(workspace.root, { 'data/b': 'and again', 'data/a': 'and again' })
    expect(await varveErrorFrom(workspace.apply(removing))).toMatchObject({ code: 'WOULD_LOSE_DATA' })
    expect(readFileSync(at('data/b'), 'utf8')).toBe('and again')
  })

  it('does not write over a file that came since it was planned', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/a': '1' })
    const plan = await workspace.plan(addVersion(workspace.store, { a: '1', b: '2' }), { base })
    writeFiles(workspace.root, { 'data/b': 'mine' })
    expect(await varveErrorFrom(workspace.apply(plan))).toMatchObject({ code: 'WOULD_LOSE_DATA' })
    expect(readFileSync(at('data/b'), 'utf8')).toBe('mine')
    expect(Object.keys(treeOf(at('data'))).sort()).toEqual(['a', 'b'])
  })

  it('writes through no link that took a directory’s place since it was planned', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/sub/a': '1' })
    const plan = await workspace.plan(addVersion(workspace.store, { sub: { a: '1', b: '2' } }), { base })
    const outside = makeFolder()
    renameSync(at('data/sub'), join(outside, 'sub'))
    symlinkSync(join(outside, 'sub'), at('data/sub'))
    expect(await varveErrorFrom(workspace.apply(plan))).toMatchObject({
      code: 'HOSTILE',
      message: 'data/sub is a link or file where a directory belongs',
    })
    expect(Object.keys(treeOf(outside)).sort()).toEqual(['sub', 'sub/a'])
  })

  it('removes nothing through such a link either', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/sub/a': '1', 'data/b': '1' })
    const plan = await workspace.plan(addVersion(workspace.store, { b: '1' }), { base })
    const outside = makeFolder()
    renameSync(at('data/sub'), join(outside, 'sub'))
    symlinkSync(join(outside, 'sub'), at('data/sub'))
    await workspace.apply(plan)
    expect(Object.keys(treeOf(outside)).sort()).toEqual(['sub', 'sub/a'])
  })

  it('takes a file out of the way of a directory before, and what is not in the way after', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/old': '1', 'data/x': '2' })
    const plan = await workspace.plan(addVersion(workspace.store, { x: { y: '3' } }), { base })
    // The directory cannot be written: its only file has lost its bytes.
    rmSync(join(workspace.store.root, 'packs'), { recursive: true })
    await expect(workspace.apply(plan)).rejects.toThrow()
    expect(lstatSync(at('data/x')).isDirectory()).toBe(true)
    expect(readFileSync(at('data/old'), 'utf8')).toBe('1')
  })
})
