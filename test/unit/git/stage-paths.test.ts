import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoverRepository } from '../../../core/git/repository.ts'
import { stagePaths } from '../../../core/git/stage-paths.ts'
import { commitAll, git, makeRepository, writeFiles } from '../../support/git-fixture.ts'

const ODD_NAMES = [':(top)*.varve', '-n.varve', 'a\nb.varve', '"q" é.varve', '*.varve', '!x.varve']

const staged = (root: string) => {
  return git(root, 'diff', '--cached', '--name-only', '-z', '--no-renames').split('\0').filter(Boolean).sort()
}

test('stages exactly the paths named, whatever they are called', async () => {
  const root = makeRepository()
  writeFiles(root, Object.fromEntries([...ODD_NAMES, 'other.varve', 'x.varve'].map((name) => [name, name])))
  const repository = await discoverRepository(root)
  await stagePaths(repository, ODD_NAMES)
  expect(staged(root)).toEqual([...ODD_NAMES].sort())
})

test('staging a tracked file that is gone stages its deletion', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.varve': '1' })
  rmSync(join(root, 'a.varve'))
  await stagePaths(await discoverRepository(root), ['a.varve'])
  expect(git(root, 'status', '--porcelain')).toBe('D  a.varve')
})

test('staging what is not there, or ignored, says which path', async () => {
  const root = makeRepository()
  writeFiles(root, { '.gitignore': 'i/\n', 'i/a.varve': '1', 'b.varve': '2' })
  const repository = await discoverRepository(root)
  await expect(stagePaths(repository, ['nope.varve'])).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('nope.varve'),
  })
  await expect(stagePaths(repository, ['i/a.varve'])).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/ignored.*: i/),
  })
})

test('a lock of another git command is an error that asks to wait', async () => {
  const root = makeRepository()
  writeFiles(root, { 'a.varve': '1', '.git/index.lock': '' })
  await expect(stagePaths(await discoverRepository(root), ['a.varve'])).rejects.toMatchObject({
    code: 'CONFLICT',
    retryable: true,
  })
  expect(existsSync(join(root, '.git/index.lock'))).toBe(true)
})
