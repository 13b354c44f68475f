import { expect, test } from 'vitest'
import { checkIgnored } from '../../../core/git/check-ignored.ts'
import { checkoutPaths } from '../../../core/git/checkout-paths.ts'
import { removeFromIndex } from '../../../core/git/remove-from-index.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { stagePaths } from '../../../core/git/stage-paths.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

test('no paths means nothing, not everything', async () => {
  const root = makeRepository()
  const first = commitAll(root, 'first', { 'a.varve': '1' })
  commitAll(root, 'second', { 'a.varve': '2' })
  writeFiles(root, { 'a.varve': '3' })
  const repository = await discoverRepository(root)
  await stagePaths(repository, [])
  await removeFromIndex(repository, [])
  await checkoutPaths(repository, first, [])
  expect(git(root, 'status', '--porcelain')).toBe(' M a.varve')
  expect(git(root, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main')
  expect(await checkIgnored(repository, [])).toEqual(new Set())
})
