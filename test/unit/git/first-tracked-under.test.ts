import { expect, test } from 'vitest'
import { firstTrackedUnder } from '../../../core/git/first-tracked-under.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const files = { 'd/a': '1', 'd/b/c': '2', 'd*': '3', dd: '4', 'data.varve': '5' }

test.each([
  ['a few paths', []],
  ['many paths', Array.from({ length: 100 }, (_, i) => `other/${i}`)],
])('finds the first file that git has at or below each of %s', async (_, others) => {
  const root = makeRepository()
  commitAll(root, 'first', files)
  writeFiles(root, { 'untracked/x': '6' })
  const repository = await discoverRepository(root)
  const found = await firstTrackedUnder(repository, ['d', 'd/b', 'd*', 'data', 'untracked', ...others])
  expect(Object.fromEntries(found)).toEqual({ d: 'd/a', 'd*': 'd*', 'd/b': 'd/b/c' })
})

test('asks nothing for no path', async () => {
  const repository = await discoverRepository(makeRepository())
  expect((await firstTrackedUnder(repository, [])).size).toBe(0)
})
