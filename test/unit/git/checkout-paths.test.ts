import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkoutPaths } from '../../../core/git/checkout-paths.ts'
import { currentHead } from '../../../core/git/current-head.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository } from '../../support/git-fixture.ts'

test('checks files out of a revision into index and work tree, and HEAD stays', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.varve': '1', '*.varve': '1' })
  const second = commitAll(root, 'second', { 'a.varve': '2', '*.varve': '2' })
  const repository = await discoverRepository(root)
  await checkoutPaths(repository, 'HEAD~1', ['*.varve'])
  expect(git(root, 'status', '--porcelain', '-z')).toBe('M  *.varve\0')
  expect(readFileSync(join(root, 'a.varve'), 'utf8')).toBe('2')
  expect(await currentHead(repository)).toBe(second)
})

test('a checkout that cannot be whole changes nothing', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.varve': '1' })
  commitAll(root, 'second', { 'a.varve': '2' })
  const repository = await discoverRepository(root)
  await expect(checkoutPaths(repository, 'HEAD~1', ['a.varve', 'nope.varve'])).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('nope.varve'),
  })
  await expect(checkoutPaths(repository, '--force', ['a.varve'])).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(git(root, 'status', '--porcelain')).toBe('')
})
