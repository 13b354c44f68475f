import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listTreePointers } from '../../../core/git/list-tree-pointers.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const ODD_NAME = 'o dd\n"näme"\t:(glob)*.varve'

test('a tree gives its pointers with their blobs, and passes over links', async () => {
  const root = makeRepository()
  writeFiles(root, { 'a.varve': 'one', [`d/${ODD_NAME}`]: 'two', 'x.txt': 'x' })
  symlinkSync('a.varve', join(root, 'link.varve'))
  commitAll(root, 'first')
  commitAll(root, 'second', { 'a.varve': 'changed' })
  const repository = await discoverRepository(root)
  expect(await listTreePointers(repository, 'HEAD~1')).toEqual([
    { path: 'a.varve', blobSha: git(root, 'rev-parse', 'HEAD~1:a.varve') },
    { path: `d/${ODD_NAME}`, blobSha: git(root, 'rev-parse', `HEAD:d/${ODD_NAME}`) },
  ])
  expect(await listTreePointers(repository, 'HEAD', { paths: ['a.varve'] })).toHaveLength(1)
  expect((await listTreePointers(repository, 'HEAD', { paths: ['d'] })).map(({ path }) => path)).toEqual([
    `d/${ODD_NAME}`,
  ])
})

test('a tree of no commit is not found', async () => {
  const repository = await discoverRepository(makeRepository())
  await expect(listTreePointers(repository, '--help')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
