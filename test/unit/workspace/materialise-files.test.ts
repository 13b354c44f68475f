import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { Store } from '../../../core/store/store.ts'
import { materialiseFiles } from '../../../core/workspace/materialise-files.ts'
import type { FileToWrite } from '../../../core/workspace/plan-checkout.ts'
import { addVersion, noise } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'
import { packFiles } from '../../support/versioned-repository.ts'
import { Workspace } from '../../support/workspace-fixture.ts'

const BIG = noise(600_000, 5)

function makeWorkspace() {
  const workspace = new Workspace()
  mkdirSync(join(workspace.root, 'data'))
  const files = {
    big: addVersion(workspace.store, BIG, 'big'),
    small: addVersion(workspace.store, 'small', 'small'),
  }
  const at = (path: string) => join(workspace.root, path)
  const write = (entries: readonly TreeEntry[], change: Partial<FileToWrite> = {}, store = workspace.store) =>
    materialiseFiles({
      ...{ root: workspace.root, cache: workspace.cache, workers: workspace.workers },
      store,
      files: entries.map((entry) => fileOf(entry, change)),
    })
  return { workspace, files, at, write }
}

function fileOf(entry: TreeEntry, change: Partial<FileToWrite>): FileToWrite {
  if (entry.kind === 'link' || entry.kind === 'dir') throw new Error('no file')
  const { digest, sizeBytes, name } = entry
  return { path: `data/${name}`, digest, sizeBytes, executable: false, replaces: undefined, ...change }
}

describe('writing files of a version', () => {
  it('gives their bytes and modes, of one chunk or many', async () => {
    const { files, at, write } = makeWorkspace()
    await write([files.big, files.small])
    await write([{ ...files.small, name: 'tool' } as TreeEntry], { executable: true })
    expect(readFileSync(at('data/big'))).toEqual(BIG)
    expect(readFileSync(at('data/small'), 'utf8')).toBe('small')
    expect([at('data/small'), at('data/tool')].map((path) => lstatSync(path).mode & 0o100)).toEqual([
      0, 0o100,
    ])
    expect(readdirSync(at('data')).sort()).toEqual(['big', 'small', 'tool'])
  })

  it('writes nothing where some of the bytes are not known', async () => {
    const { files, at, write } = makeWorkspace()
    const missing = { ...files.small, name: 'missing', digest: Buffer.alloc(32, 7) } as TreeEntry
    expect(await varveErrorFrom(write([files.small, missing]))).toMatchObject({
      code: 'MISSING_BYTES',
      message: expect.stringContaining('data/missing'),
      hint: expect.stringContaining('varve pull'),
    })
    expect(readdirSync(at('data'))).toEqual([])
  })

  it('refuses what does not have the size that its listing says', async () => {
    const { files, at, write } = makeWorkspace()
    expect(await varveErrorFrom(write([files.big], { sizeBytes: 5 }))).toMatchObject({ code: 'CORRUPT' })
    expect(existsSync(at('data/big'))).toBe(false)
  })

  it('leaves no wrong byte, and nothing else, for any damage to the packs', async () => {
    const { workspace, files, at, write } = makeWorkspace()
    const packs = packFiles(workspace.store.root)
    const [data] = packs
      .map((path) => ({ path, bytes: readFileSync(path) }))
      .sort((a, b) => b.bytes.length - a.bytes.length)
    for (const damaged of [
      flip(data!.bytes, 2000),
      flip(data!.bytes, 300_000),
      data!.bytes.subarray(0, 200_000),
    ]) {
      writeFileSync(data!.path, damaged)
      const store = Store.open(workspace.store.root)
      const error = await varveErrorFrom(write([files.big], {}, store))
      store.close()
      expect(error).toMatchObject({ code: 'CORRUPT', message: expect.stringMatching(/^data\/big/) })
      expect(error.hint).toContain('varve verify')
      expect(readdirSync(at('data'))).toEqual([])
    }
  })
})
