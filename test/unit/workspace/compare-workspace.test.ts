import { chmodSync, mkdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { encodeTree, type TreeEntry } from '../../../core/format/tree.ts'
import { PathFilter } from '../../../core/path-filter.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { compareWorkspace, type WorkspaceComparison } from '../../../core/workspace/compare-workspace.ts'
import { scanTree } from '../../../core/workspace/scan-tree.ts'
import { writeFiles } from '../../support/git-fixture.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { Workspace, watchedWorkers } from '../../support/workspace-fixture.ts'

const brief = ({ changes }: WorkspaceComparison) =>
  changes.map(({ path, before, after }) => `${before?.kind ?? '-'} ${after?.kind ?? '-'} ${path}`)

async function makeWorkspace(files: Record<string, string>) {
  const workspace = new Workspace()
  writeFiles(workspace.root, files)
  const { entry } = await workspace.add()
  return { workspace, entry, at: (path: string) => join(workspace.root, path) }
}

describe('comparing a workspace with a version', () => {
  it('finds nothing where nothing changed, without reading a file', async () => {
    const workspace = new Workspace()
    writeFiles(workspace.root, { 'data/a': '1', 'data/sub/b': '22' })
    // A file that is read in the tick in which it was written is not trusted to stay as it is.
    await setTimeout(50)
    const { entry } = await workspace.add()
    workspace.workers = watchedWorkers(() => expect.fail('a file was read'))
    expect(await workspace.compare(entry)).toEqual({
      changes: [],
      unchangedFiles: 2,
      unchangedBytes: 3,
      leftOutFiles: 0,
    })
  })

  it('looks at no listing of a directory whose files are all known to be the same', async () => {
    const workspace = new Workspace()
    writeFiles(workspace.root, { 'data/a/1': '1', 'data/b/1': '22', 'data/b/2': '333' })
    await setTimeout(50)
    const { entry } = await workspace.add()
    const { root, store, cache, workers } = workspace
    const compare = async (paths: string[], version: TreeEntry = entry) =>
      compareWorkspace({
        ...{ root, store, cache, workers, version, path: 'data', digests: 'all', isLeftOut: () => false },
        scanned: await scanTree({ root, path: 'data', cache, workers }),
        filter: new PathFilter(paths),
      })
    const read = vi.spyOn(store, 'readMetadataBlob')
    expect(await compare(['data'])).toMatchObject({ changes: [], unchangedFiles: 3, unchangedBytes: 6 })
    expect(read).toHaveBeenCalledTimes(1)
    expect(await compare(['data/b/2'])).toMatchObject({ changes: [], unchangedFiles: 1, unchangedBytes: 3 })

    writeFiles(root, { 'data/b/2': '444' })
    const changed = await compare(['data'])
    expect(brief(changed)).toEqual(['file file data/b/2'])
    expect(changed.unchangedFiles).toBe(2)
    rmSync(join(root, 'data/a/1'))
    expect(brief(await compare(['data']))).toEqual(['file - data/a/1', 'file file data/b/2'])
  })

  it('reads where the stamp changed and the size did not; the bytes decide', async () => {
    const { workspace, entry, at } = await makeWorkspace({ 'data/a': '1', 'data/b': '2' })
    utimesSync(at('data/a'), 1, 1)
    writeFiles(workspace.root, { 'data/b': '3' })
    const comparison = await workspace.compare(entry)
    expect(brief(comparison)).toEqual(['file file data/b'])
    expect(comparison.unchangedFiles).toBe(1)
    expect(Buffer.from(comparison.changes[0]!.after!.digest!)).toEqual(digestOf(Buffer.from('3')))
  })

  it('tells what came, went and changed its kind', async () => {
    const { workspace, entry, at } = await makeWorkspace({
      ...{ 'data/gone': '1', 'data/becomes link': '2', 'data/becomes dir': '3', 'data/tool': '4' },
      'data/dir becomes file/x': '5',
    })
    rmSync(at('data/gone'))
    rmSync(at('data/becomes link'))
    symlinkSync('x', at('data/becomes link'))
    rmSync(at('data/becomes dir'))
    writeFiles(workspace.root, { 'data/becomes dir/y': '6', 'data/new': '7' })
    rmSync(at('data/dir becomes file'), { recursive: true })
    writeFiles(workspace.root, { 'data/dir becomes file': '8' })
    chmodSync(at('data/tool'), 0o755)
    mkdirSync(at('data/empty'))
    expect(brief(await workspace.compare(entry))).toEqual([
      'file - data/becomes dir',
      '- dir data/becomes dir',
      '- file data/becomes dir/y',
      'file link data/becomes link',
      '- file data/dir becomes file',
      'dir - data/dir becomes file',
      'file - data/dir becomes file/x',
      '- dir data/empty',
      'file - data/gone',
      '- file data/new',
      'file executable data/tool',
    ])
  })

  it('hashes new files only where one of their size is gone, unless all digests are asked for', async () => {
    const { workspace, entry, at } = await makeWorkspace({ 'data/gone': 'four' })
    rmSync(at('data/gone'))
    writeFiles(workspace.root, { 'data/same size': 'five', 'data/other size': 'longer' })
    const hashed = async (digests: 'all' | 'candidates') =>
      (await workspace.compare(entry, { digests })).changes
        .filter(({ after }) => after?.digest !== undefined)
        .map(({ path }) => path)
    expect(await hashed('candidates')).toEqual(['data/same size'])
    expect(await hashed('all')).toEqual(['data/other size', 'data/same size'])
  })

  it('looks only at what the filter passes', async () => {
    const { workspace, entry } = await makeWorkspace({ 'data/a/x': '1', 'data/b/x': '1' })
    writeFiles(workspace.root, { 'data/a/x': '22', 'data/b/x': '22', 'data/c': '1' })
    expect(brief(await workspace.compare(entry, { paths: ['data/b'] }))).toEqual(['file file data/b/x'])
    expect(brief(await workspace.compare(entry, { paths: ['data/*/x'] }))).toHaveLength(2)
  })

  it('counts what a part left out, and does not call it deleted', async () => {
    const { workspace, entry, at } = await makeWorkspace({
      'data/a/x': '1',
      'data/b/x': '1',
      'data/b/y': '1',
    })
    rmSync(at('data/b'), { recursive: true })
    rmSync(at('data/a/x'))
    const comparison = await workspace.compare(entry, { isLeftOut: (path) => path.startsWith('data/b') })
    expect(brief(comparison)).toEqual(['file - data/a/x'])
    expect(comparison.leftOutFiles).toBe(2)
  })

  it('of nothing at all, or of no version, tells one side', async () => {
    const { workspace, entry, at } = await makeWorkspace({ 'data/a': '1' })
    expect(brief(await workspace.compare(undefined))).toEqual(['- dir data', '- file data/a'])
    rmSync(at('data'), { recursive: true })
    expect(brief(await workspace.compare(entry))).toEqual(['dir - data', 'file - data/a'])
  })

  it('needs the listings, and refuses one that goes deeper than any path', async () => {
    const { workspace } = await makeWorkspace({ 'data/a': '1' })
    const missing: TreeEntry = {
      kind: 'dir',
      name: 'data',
      sizeBytes: 0,
      digest: digestOf(Buffer.from('no')),
    }
    expect(await varveErrorFrom(workspace.compare(missing))).toMatchObject({ code: 'MISSING_BYTES' })
    const writer = new StoreWriter(workspace.store)
    let entry: TreeEntry = { kind: 'link', name: 'd', target: 'x' }
    for (let depth = 0; depth < 3000; depth++) {
      entry = { kind: 'dir', name: 'd', sizeBytes: 0, digest: writer.addMetadataBlob(encodeTree([entry])) }
    }
    writer.finish()
    expect(await varveErrorFrom(workspace.compare(entry))).toMatchObject({ code: 'HOSTILE' })
  })
})
