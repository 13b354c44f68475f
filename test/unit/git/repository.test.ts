import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeFolder, makeRepository } from '../../support/git-fixture.ts'

test('finds the root from a sub-folder', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'a/b'), { recursive: true })
  expect(await discoverRepository(join(root, 'a/b'))).toEqual({
    root,
    gitDir: join(root, '.git'),
    commonDir: join(root, '.git'),
    prefix: 'a/b/',
  })
  expect((await discoverRepository(root)).prefix).toBe('')
})

test('copes with line breaks and other oddities in the names of folders', async () => {
  const root = makeRepository('a\n"b"\té ')
  const folder = join(root, 'x\ny')
  mkdirSync(folder)
  expect(await discoverRepository(folder)).toEqual({
    root,
    gitDir: join(root, '.git'),
    commonDir: join(root, '.git'),
    prefix: 'x\ny/',
  })
})

test('a linked worktree has a git folder of its own and shares the common one', async () => {
  const root = makeRepository()
  commitAll(root, 'first', { 'a.txt': 'a' })
  const linked = join(makeFolder(), 'linked')
  git(root, 'worktree', 'add', '--quiet', linked)
  expect(await discoverRepository(linked)).toEqual({
    root: linked,
    gitDir: join(root, '.git/worktrees/linked'),
    commonDir: join(root, '.git'),
    prefix: '',
  })
})

test('a worktree of a bare repository works', async () => {
  const source = makeRepository()
  commitAll(source, 'first')
  const folder = makeFolder()
  git(folder, 'clone', '--quiet', '--bare', source, 'bare.git')
  git(join(folder, 'bare.git'), 'worktree', 'add', '--quiet', join(folder, 'tree'), 'main')
  const repository = await discoverRepository(join(folder, 'tree'))
  expect(repository.commonDir).toBe(join(folder, 'bare.git'))
  expect(repository.root).toBe(join(folder, 'tree'))
})

test('a sub-module is a repository of its own', async () => {
  const inner = makeRepository('inner')
  commitAll(inner, 'first')
  const outer = makeRepository('outer')
  git(outer, '-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', inner, 'sub')
  const repository = await discoverRepository(join(outer, 'sub'))
  expect(repository.root).toBe(join(outer, 'sub'))
  expect(repository.gitDir).toBe(join(outer, '.git/modules/sub'))
})

test('a link to the root leads to the root', async () => {
  const root = makeRepository()
  const link = join(makeFolder(), 'link')
  symlinkSync(root, link)
  expect((await discoverRepository(link)).root).toBe(root)
})

test('outside git says which folder, and what to do', async () => {
  const folder = makeFolder()
  await expect(discoverRepository(folder)).rejects.toMatchObject({
    code: 'NOT_A_REPOSITORY',
    message: expect.stringContaining(folder),
    hint: expect.stringContaining('git init'),
  })
})

test('refuses a bare repository and the inside of a git folder, each in its own words', async () => {
  const root = makeRepository()
  const bare = makeFolder()
  git(bare, 'init', '--quiet', '--bare')
  await expect(discoverRepository(bare)).rejects.toMatchObject({
    code: 'NOT_A_REPOSITORY',
    message: expect.stringContaining('bare'),
  })
  await expect(discoverRepository(join(root, '.git/refs'))).rejects.toMatchObject({
    code: 'NOT_A_REPOSITORY',
    message: expect.stringContaining('inside a git folder'),
  })
})

test('a folder that does not exist is not mistaken for a missing git', async () => {
  await expect(discoverRepository(join(makeFolder(), 'nowhere'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
