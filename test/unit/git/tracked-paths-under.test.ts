import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoverRepository } from '../../../core/git/repository.ts'
import { trackedPathsUnder } from '../../../core/git/tracked-paths-under.ts'
import { commitAll, makeRepository, writeFiles } from '../../support/git-fixture.ts'

test('lists what git tracks at or below a path, up to a limit', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'd/a': '1', 'd/b/c': '2', 'd*': '3', dd: '4', 'data.varve': '5' })
  writeFiles(root, { 'd/untracked': '6' })
  const repository = await discoverRepository(join(root, 'd'))
  expect(await trackedPathsUnder(repository, 'd', 10)).toEqual(['d/a', 'd/b/c'])
  expect(await trackedPathsUnder(repository, 'd*', 10)).toEqual(['d*'])
  expect(await trackedPathsUnder(repository, 'd', 1)).toEqual(['d/a'])
  expect(await trackedPathsUnder(repository, '', 10)).toHaveLength(5)
  expect(await trackedPathsUnder(repository, 'data', 10)).toEqual([])
})
