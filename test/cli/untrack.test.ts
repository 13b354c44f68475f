import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'

/** A repository in which these files and directories are tracked and committed. */
async function project(files: Record<string, string>, tracked: readonly string[]): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, files)
  await varve(['add', ...tracked], { cwd: root })
  git(root, 'commit', '--quiet', '--message', 'add')
  return root
}

const status = (root: string) => git(root, 'status', '--porcelain', '--no-renames', '--untracked-files=all')
const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

test('the data stays; pointer and ignore line go, and are staged', async () => {
  const root = await project({ 'sub/a.csv': 'a', 'sub/b.csv': 'b' }, ['sub/a.csv', 'sub/b.csv'])
  const { stdout, stderr } = await runVarve(['untrack', 'a.csv'], { cwd: join(root, 'sub') })
  expect(stdout).toBe('no longer tracked: sub/a.csv\n')
  expect(stderr).toMatch(/^warning: `git add \.` would now put sub\/a\.csv into git/)
  expect(read(root, 'sub/a.csv')).toBe('a')
  expect(read(root, 'sub/.gitignore')).toBe('/b.csv\n')
  expect(status(root)).toBe('M  sub/.gitignore\nD  sub/a.csv.varve\n?? sub/a.csv')

  const json = await varveJson(['untrack', 'sub/b.csv.varve'], { cwd: root })
  expect(json).toEqual({
    untracked: [{ path: 'sub/b.csv', pointer: 'sub/b.csv.varve', inWorkspace: true, visibleToGit: true }],
  })
  expect(existsSync(join(root, 'sub/.gitignore'))).toBe(false)
  expect(status(root)).toBe(
    ['D  sub/.gitignore', 'D  sub/a.csv.varve', 'D  sub/b.csv.varve', '?? sub/a.csv', '?? sub/b.csv'].join(
      '\n',
    ),
  )
})

test('an untracked path can be added again, and its history is still there', async () => {
  const root = await project({ 'data/a': '1', 'data/b': '2' }, ['data'])
  await varve(['untrack', 'data'], { cwd: root })
  git(root, 'commit', '--quiet', '--message', 'untrack')
  expect(await varve(['cat', 'HEAD~1:data/a'], { cwd: root })).toBe('1')
  await varve(['add', 'data'], { cwd: root })
  expect(status(root)).toBe('A  .gitignore\nA  data.varve')
})

test('--no-stage leaves the index alone', async () => {
  const root = await project({ a: '1' }, ['a'])
  await varve(['untrack', 'a', '--no-stage'], { cwd: root })
  expect(status(root)).toBe(' D .gitignore\n D a.varve\n?? a')
})

test('a pattern, several paths, and one named twice', async () => {
  const root = await project({ 'd/a.csv': '1', 'd/b.csv': '2', 'd/c.bin': '3', e: '4' }, [
    ...['d/a.csv', 'd/b.csv', 'd/c.bin', 'e'],
  ])
  const { untracked } = await varveJson<{ untracked: { path: string }[] }>(
    ['untrack', 'd/*.csv', 'e', 'd/a.csv'],
    { cwd: root },
  )
  expect(untracked.map(({ path }) => path)).toEqual(['d/a.csv', 'd/b.csv', 'e'])
  expect(existsSync(join(root, 'd/c.bin.varve'))).toBe(true)
})

test('a name with wildcards in it means itself', async () => {
  const root = await project({ 'a[1].csv': '1', 'a1.csv': '2' }, ['a[1].csv', 'a1.csv'])
  await varve(['untrack', 'a[1].csv'], { cwd: root })
  expect(existsSync(join(root, 'a1.csv.varve'))).toBe(true)
  expect(read(root, '.gitignore')).toBe('/a1.csv\n')
})

test('where another rule ignores the data, or it is not there, git would not take it', async () => {
  const root = await project({ 'a.csv': '1', b: '2' }, ['a.csv', 'b'])
  writeFiles(root, { '.git/info/exclude': '*.csv\n' })
  const kept = await runVarve(['untrack', 'a.csv'], { cwd: root })
  expect(kept).toMatchObject({ exitCode: 0, stderr: '' })
  rmSync(join(root, 'b'))
  const gone = await runVarve(['untrack', 'b'], { cwd: root })
  expect(gone).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('varve checkout REV -- b') })
})

test('a pointer that is damaged, in conflict, or deleted by hand can be let go of', async () => {
  const root = await project({ a: '1', b: '2', c: '3' }, ['a', 'b', 'c'])
  writeFiles(root, { 'a.varve': '<<<<<<< ours\n', 'b.varve': 'nonsense' })
  rmSync(join(root, 'c.varve'))
  await varve(['untrack', 'a', 'b', 'c'], { cwd: root })
  expect(git(root, 'ls-files', '*.varve')).toBe('')
  expect(existsSync(join(root, 'a.varve'))).toBe(false)
  expect(read(root, 'a') + read(root, 'b') + read(root, 'c')).toBe('123')
})

test('what is not tracked is said, and then nothing is changed', async () => {
  const root = await project({ 'data/a': '1', b: '2', 'sub/c': '3', plain: '4' }, ['data', 'b', 'sub/c'])
  const before = status(root)
  const refused = async (...args: string[]) => {
    const run = await runVarve(['untrack', ...args], { cwd: root })
    expect(status(root)).toBe(before)
    return run
  }
  expect(await refused('b', 'data/a')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('data/a lies in data, which is tracked as a whole'),
  })
  expect(await refused('b', 'sub')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('sub/c in it'),
  })
  expect(await refused('b', 'plain')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('does not track plain'),
  })
  expect((await refused('b', '*.nothing')).exitCode).toBe(1)
  expect((await refused('b', '../elsewhere')).exitCode).toBe(1)
  expect((await refused()).exitCode).toBe(2)
})

test('no .gitignore is written through a link', async () => {
  const root = await project({ 'sub/a': '1' }, ['sub/a'])
  const outside = join(makeFolder(), 'ignore')
  mkdirSync(outside)
  writeFiles(outside, { file: '/a\n' })
  rmSync(join(root, 'sub/.gitignore'))
  symlinkSync(join(outside, 'file'), join(root, 'sub/.gitignore'))
  const { exitCode, stderr } = await runVarve(['untrack', 'sub/a'], { cwd: root })
  expect(exitCode).toBe(1)
  expect(stderr).toContain('sub/.gitignore is a symbolic link')
  expect(readFileSync(join(outside, 'file'), 'utf8')).toBe('/a\n')
  expect(existsSync(join(root, 'sub/a.varve'))).toBe(true)
})
