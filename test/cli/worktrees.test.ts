import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'

type Status = { paths: { path: string; state: string }[] }

test('worktrees share the store, and each has a workspace of its own', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, { 'data/a': '1', 'data/b': '1' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'one')
  git(root, 'branch', 'topic')
  writeFiles(root, { 'data/a': '2' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'two')

  const tree = join(makeFolder(), 'tree')
  git(root, 'worktree', 'add', '--quiet', tree, 'topic')
  const missing = await varveJson<Status>(['status'], { cwd: tree })
  expect(missing.paths).toMatchObject([{ state: 'missing' }])
  // Nothing is fetched: there is no remote.
  await varve(['checkout'], { cwd: tree })
  expect(readFileSync(join(tree, 'data/a'), 'utf8')).toBe('1')
  expect(readFileSync(join(root, 'data/a'), 'utf8')).toBe('2')

  writeFiles(tree, { 'data/a': '3' })
  await varve(['add', 'data'], { cwd: tree })
  git(tree, 'commit', '--quiet', '--all', '--message', 'three')
  expect((await varveJson<Status>(['status'], { cwd: root })).paths).toMatchObject([{ state: 'unchanged' }])
  expect((await varveJson<Status>(['status'], { cwd: tree })).paths).toMatchObject([{ state: 'unchanged' }])
  const stores = [join(root, '.git/varve/packs'), join(root, '.git/worktrees/tree/varve/packs')]
  expect(stores.map(existsSync)).toEqual([true, false])
  await varve(['checkout', 'topic', '--', 'data'], { cwd: root })
  expect(readFileSync(join(root, 'data/a'), 'utf8')).toBe('3')
})
