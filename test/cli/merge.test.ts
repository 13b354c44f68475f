import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { varve, varveJson } from '../support/run-varve.ts'

/** Branches main and topic, each of which has added a version of the paths it names; main is checked out. */
async function makeBranches(changed: { main: string; topic: string }): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  writeFiles(root, { 'one/x': 'base', 'two/x': 'base' })
  await varve(['add', 'one', 'two'], { cwd: root })
  commitAll(root, 'base')
  git(root, 'branch', 'topic')
  for (const branch of ['topic', 'main'] as const) {
    git(root, 'checkout', '--quiet', branch)
    await varve(['checkout'], { cwd: root })
    writeFiles(root, { [`${changed[branch]}/x`]: branch })
    await varve(['add', changed[branch]], { cwd: root })
    commitAll(root, branch)
  }
  return root
}

const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

test('branches that changed different datasets merge, and checkout brings both', async () => {
  const root = await makeBranches({ main: 'one', topic: 'two' })
  git(root, 'merge', '--quiet', 'topic', '--no-edit')
  await varve(['checkout'], { cwd: root })
  expect([read(root, 'one/x'), read(root, 'two/x')]).toEqual(['main', 'topic'])
  const { versions } = await varveJson<{ versions: unknown[] }>(['push'], { cwd: root })
  expect(versions).toHaveLength(4)
})

test('a pointer in conflict is told, stands in the way of itself alone, and is settled by add', async () => {
  const root = await makeBranches({ main: 'one', topic: 'one' })
  expect(() => git(root, 'merge', '--quiet', 'topic')).toThrow()
  const { paths } = await varveJson<{ paths: unknown[] }>(['status'], { cwd: root })
  expect(paths).toMatchObject([
    { path: 'one', state: 'bad-pointer', error: { code: 'CONFLICT' } },
    { path: 'two', state: 'unchanged' },
  ])
  for (const command of ['checkout', 'push', 'pull', 'fetch', 'diff']) {
    const refusal = {
      code: 'CONFLICT' as const,
      message: /^one\.varve, line \d+: a merge left this pointer in conflict$/,
      hint: /git checkout --(ours|theirs)|varve add/,
    }
    await expectRefusal(command === 'diff' ? ['diff', '--', 'one'] : [command, 'one'], { cwd: root }, refusal)
    await expectRefusal([command], { cwd: root }, refusal)
  }
  writeFiles(root, { 'two/x': 'changed' })
  await varve(['add', 'two'], { cwd: root })
  await varve(['push', 'two'], { cwd: root })
  writeFiles(root, { 'two/x': 'not added' })
  await varve(['checkout', 'two', '--force'], { cwd: root })
  expect(read(root, 'two/x')).toBe('changed')

  writeFiles(root, { 'one/x': 'merged' })
  await varve(['add', 'one'], { cwd: root })
  expect(git(root, 'ls-files', '--unmerged')).toBe('')
  git(root, 'commit', '--quiet', '--all', '--no-edit')
  await varve(['push'], { cwd: root })
  expect(await varve(['cat', 'HEAD:one/x'], { cwd: root })).toBe('merged')
})
