import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listPointerPaths } from '../../../core/git/list-pointer-paths.ts'
import { listTreePointers } from '../../../core/git/list-tree-pointers.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const ODD_NAME = 'o dd\n"näme"\t:(glob)*.varve'

test('lists tracked and untracked pointers at any depth, and none that git ignores', async () => {
  const root = makeRepository()
  commitAll(root, 'first', {
    '.gitignore': 'ignored/\n',
    'b.varve': '1',
    'deep/er/a.varve': '2',
    [ODD_NAME]: '3',
    'no-pointer.txt': '4',
    '.varve': 'a name must stand before the suffix',
    'deep/.varve': 'here too',
    'tracked.varve/inside.txt': 'a folder of that name',
  })
  writeFiles(root, { 'new.varve': '5', 'ignored/x.varve': '6', 'deep/é.varve': '7' })
  expect(await listPointerPaths(await discoverRepository(join(root, 'deep')))).toEqual(
    ['b.varve', 'deep/er/a.varve', 'deep/é.varve', 'new.varve', ODD_NAME].map((path) => ({
      path,
      missing: false,
    })),
  )
})

test('a tracked pointer whose file is gone is listed as missing', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.varve': '1', 'b.varve': '2' })
  rmSync(join(root, 'a.varve'))
  expect(await listPointerPaths(await discoverRepository(root))).toEqual([
    { path: 'a.varve', missing: true },
    { path: 'b.varve', missing: false },
  ])
})

test('a pointer that a sparse checkout leaves out is not listed', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'in/a.varve': '1', 'out/b.varve': '2' })
  git(root, 'sparse-checkout', 'set', 'in')
  expect(await listPointerPaths(await discoverRepository(root))).toEqual([
    { path: 'in/a.varve', missing: false },
  ])
})

test('a name that is not UTF-8 is no pointer', async () => {
  const root = makeRepository()
  const file = Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.varve')])
  writeFileSync(file, '1')
  commitAll(root, 'first', { 'a.varve': '1' })
  const repository = await discoverRepository(root)
  expect((await listPointerPaths(repository)).map(({ path }) => path)).toEqual(['a.varve'])
  expect((await listTreePointers(repository, 'HEAD')).map(({ path }) => path)).toEqual(['a.varve'])
})
