import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { encodeTree } from '../../../core/format/tree.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import type { CheckoutPlan } from '../../../core/workspace/plan-checkout.ts'
import { addVersion } from '../../support/build-store.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

const nothing = {
  write: [],
  link: [],
  setExecutable: [],
  makeDirectories: [],
  remove: [],
  removeDirectories: [],
  kept: [],
  edited: [],
  conflicts: [],
}

/** The plan with paths alone; empty lists are left out. */
function brief(plan: CheckoutPlan): Partial<Record<keyof CheckoutPlan, string[]>> {
  const entries = Object.entries(plan).map(([key, list]) => [
    key,
    list.map((one) => (typeof one === 'string' ? one : one.path)).sort(),
  ])
  return Object.fromEntries(entries.filter(([, list]) => list!.length > 0))
}

async function makeWorkspace(files: Record<string, string>) {
  const workspace = new Workspace()
  writeFiles(workspace.root, files)
  const { entry: base } = await workspace.add()
  return { workspace, base, at: (path: string) => join(workspace.root, path) }
}

describe('planning a checkout', () => {
  it('of what is there does nothing', async () => {
    const { workspace, base } = await makeWorkspace({ 'data/a': '1' })
    expect(await workspace.plan(base, { base })).toEqual(nothing)
  })

  it('writes, replaces and removes what some version holds', async () => {
    const { workspace, base } = await makeWorkspace({ 'data/a': '1', 'data/b': '2', 'data/gone/c': '3' })
    const version = addVersion(workspace.store, { a: '1', b: 'changed', new: { d: '4' }, empty: {} })
    expect(brief(await workspace.plan(version, { base }))).toEqual({
      write: ['data/b', 'data/new/d'],
      makeDirectories: ['data/empty', 'data/new'],
      remove: ['data/gone/c'],
      removeDirectories: ['data/gone'],
    })
  })

  it('keeps what was never added, whoever holds its bytes', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/a': '1' })
    writeFiles(workspace.root, { 'data/mine': 'mine', 'data/same bytes': '1', 'data/my dir/x': 'x' })
    mkdirSync(at('data/my empty dir'))
    symlinkSync('x', at('data/my link'))
    const plan = brief(await workspace.plan(addVersion(workspace.store, {}), { base }))
    expect(plan).toEqual({
      remove: ['data/a'],
      kept: ['data/mine', 'data/my dir/x', 'data/my link', 'data/same bytes'],
    })
  })

  it('removes what some version holds where it is not known what was here before', async () => {
    const { workspace } = await makeWorkspace({ 'data/a': '1' })
    writeFiles(workspace.root, { 'data/mine': 'mine' })
    expect(brief(await workspace.plan(addVersion(workspace.store, {})))).toEqual({
      remove: ['data/a'],
      kept: ['data/mine'],
    })
  })

  it('is a conflict where bytes that no version holds are in the way, and with force none', async () => {
    const { workspace, base } = await makeWorkspace({ 'data/a': '1', 'data/b': '1' })
    writeFiles(workspace.root, { 'data/a': 'changed', 'data/b': 'changed too' })
    const version = addVersion(workspace.store, { a: '2' })
    expect(brief(await workspace.plan(version, { base }))).toEqual({
      write: ['data/a'],
      conflicts: ['data/a'],
      kept: ['data/b'],
    })
    expect(brief(await workspace.plan(version, { base, force: true }))).toEqual({
      write: ['data/a'],
      kept: ['data/b'],
    })
  })

  it('sees what stands above and below a path', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/x/added': '1' })
    writeFiles(workspace.root, { 'data/x/deep/mine': 'm', 'data/y': 'mine' })
    mkdirSync(at('data/x/empty'))
    const version = addVersion(workspace.store, { x: 'a file', y: { z: '1' } })
    expect(brief(await workspace.plan(version, { base }))).toMatchObject({
      conflicts: ['data/x/deep/mine', 'data/y'],
    })
    expect(brief(await workspace.plan(version, { base, force: true }))).toEqual({
      write: ['data/x', 'data/y/z'],
      makeDirectories: ['data/y'],
      remove: ['data/x/added', 'data/x/deep/mine', 'data/y'],
      removeDirectories: ['data/x', 'data/x/deep', 'data/x/empty'],
    })
  })

  it('knows a link by its target', async () => {
    const { workspace, at } = await makeWorkspace({ 'data/a': '1' })
    symlinkSync('one', at('data/link'))
    const { entry: base } = await workspace.add()
    const version = addVersion(workspace.store, { link: 'now a file' })
    expect(brief(await workspace.plan(version, { base }))).toEqual({
      write: ['data/link'],
      remove: ['data/a', 'data/link'],
    })
    rmSync(at('data/link'))
    symlinkSync('another', at('data/link'))
    expect(brief(await workspace.plan(version, { base })).conflicts).toEqual(['data/link'])
  })

  it('only sets the mode of a file that is otherwise the same', async () => {
    const { workspace, base } = await makeWorkspace({ 'data/a': '1' })
    const entry = { ...addVersion(workspace.store, '1', 'data'), kind: 'executable' as const }
    rmSync(join(workspace.root, 'data'), { recursive: true })
    writeFiles(workspace.root, { data: '1' })
    const plan = await workspace.plan(entry as typeof base)
    expect(plan).toEqual({ ...nothing, setExecutable: [{ path: 'data', executable: true }] })
  })

  it('of a directory in place of a file, and the other way round, at the top', async () => {
    const { workspace, base, at } = await makeWorkspace({ 'data/a': '1' })
    const file = addVersion(workspace.store, 'content', 'data')
    expect(brief(await workspace.plan(file, { base }))).toEqual({
      write: ['data'],
      remove: ['data/a'],
      removeDirectories: ['data'],
    })
    rmSync(at('data'), { recursive: true })
    writeFiles(workspace.root, { data: 'content' })
    expect(brief(await workspace.plan(base, { base: file }))).toEqual({
      write: ['data/a'],
      makeDirectories: ['data'],
      remove: ['data'],
    })
  })
})

describe('what the version before has and the store lacks', () => {
  /** The files are in the workspace and named by a version; the store has its listing alone. */
  async function makePulled() {
    const workspace = new Workspace()
    writeFiles(workspace.root, { 'data/a': 'a', 'data/b': 'b' })
    const writer = new StoreWriter(workspace.store)
    const file = (name: string) => {
      return { kind: 'file', name, sizeBytes: 1, digest: digestOf(Buffer.from(name)) } as const
    }
    const digest = writer.addMetadataBlob(encodeTree([file('a'), file('b')]))
    writer.finish()
    const base = { kind: 'dir', name: 'data', sizeBytes: 2, digest } as const
    return { workspace, base, version: addVersion(workspace.store, { a: 'changed' }) }
  }

  it('goes where a remote has it', async () => {
    const { workspace, base, version } = await makePulled()
    const isBaseElsewhere = (path: string) => path !== 'data/b'
    expect(brief(await workspace.plan(version, { base, isBaseElsewhere }))).toEqual({
      write: ['data/a'],
      kept: ['data/b'],
    })
    expect(brief(await workspace.plan(version, { base, isBaseElsewhere: () => true }))).toEqual({
      write: ['data/a'],
      remove: ['data/b'],
    })
  })

  it('stays where none is known to, and where it is not as that version has it', async () => {
    const { workspace, base, version } = await makePulled()
    const stays = { write: ['data/a'], conflicts: ['data/a'], kept: ['data/b'] }
    expect(brief(await workspace.plan(version, { base }))).toEqual(stays)
    writeFiles(workspace.root, { 'data/a': 'mine', 'data/b': 'mine too' })
    expect(brief(await workspace.plan(version, { base, isBaseElsewhere: () => true }))).toEqual(stays)
  })
})
