import { expect, test } from 'vitest'
import { listPointerPaths } from '../../../core/git/list-pointer-paths.ts'
import { readIndexPointers } from '../../../core/git/read-index-pointers.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

test('the index gives what is staged, not what is on disk, and each side of a conflict', async () => {
  const root = makeRepository()
  commitAll(root, 'base', { 'a.varve': 'base', 'same.varve': 'same' })
  git(root, 'checkout', '--quiet', '-b', 'side')
  commitAll(root, 'side', { 'a.varve': 'theirs' })
  git(root, 'checkout', '--quiet', 'main')
  commitAll(root, 'main', { 'a.varve': 'ours' })
  expect(() => git(root, 'merge', '--quiet', 'side')).toThrow()
  writeFiles(root, { 'same.varve': 'edited on disk alone' })
  const repository = await discoverRepository(root)
  expect(await readIndexPointers(repository)).toEqual([
    { path: 'a.varve', stage: 1, blobSha: git(root, 'rev-parse', ':1:a.varve') },
    { path: 'a.varve', stage: 2, blobSha: git(root, 'rev-parse', 'main:a.varve') },
    { path: 'a.varve', stage: 3, blobSha: git(root, 'rev-parse', 'side:a.varve') },
    { path: 'same.varve', stage: 0, blobSha: git(root, 'rev-parse', 'main:same.varve') },
  ])
  expect(await listPointerPaths(repository)).toEqual([
    { path: 'a.varve', missing: false },
    { path: 'same.varve', missing: false },
  ])
})
