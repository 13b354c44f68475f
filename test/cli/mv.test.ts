import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
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

const status = (root: string) => git(root, 'status', '--porcelain')
const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')
const has = (root: string, path: string) => existsSync(join(root, path))

async function isUnchanged(root: string, path: string): Promise<void> {
  expect(await varve(['status', path], { cwd: root })).toMatch(new RegExp(`unchanged +${path}`))
}

test('a file takes its pointer and ignore line along; git sees a rename', async () => {
  const root = await project({ 'a.csv': '1', 'other.csv': '2' }, ['a.csv', 'other.csv'])
  const pointer = read(root, 'a.csv.varve')
  expect(await varveJson(['mv', 'a.csv', 'b.csv'], { cwd: root })).toEqual({
    from: 'a.csv',
    to: 'b.csv',
    pointer: 'b.csv.varve',
    dataMoved: true,
  })
  expect(read(root, 'b.csv')).toBe('1')
  expect(read(root, 'b.csv.varve')).toBe(pointer)
  expect(has(root, 'a.csv') || has(root, 'a.csv.varve')).toBe(false)
  expect(read(root, '.gitignore')).toBe('/other.csv\n/b.csv\n')
  expect(status(root)).toBe('M  .gitignore\nR  a.csv.varve -> b.csv.varve')
  expect(has(root, '.git/varve/move.json')).toBe(false)
  await isUnchanged(root, 'b.csv')
})

test('into a folder that is there, from a sub-folder, by the name of the pointer', async () => {
  const root = await project({ 'data/x/1': '1', 'data/x/2': '2' }, ['data/x'])
  mkdirSync(join(root, 'archive'))
  const { stdout } = await runVarve(['mv', 'x.varve', '../archive/'], { cwd: join(root, 'data') })
  expect(stdout).toBe('moved data/x to archive/x\n')
  expect(read(root, 'archive/x/1') + read(root, 'archive/x/2')).toBe('12')
  expect(read(root, 'archive/.gitignore')).toBe('/x\n')
  expect(has(root, 'data/.gitignore')).toBe(false)
  expect(status(root)).toBe('R  data/.gitignore -> archive/.gitignore\nR  data/x.varve -> archive/x.varve')
  await isUnchanged(root, 'archive/x')
  expect(await varveJson(['mv', 'archive/x', '.'], { cwd: root })).toMatchObject({ to: 'x' })
})

test('changes that were not added stay changes, and are still there', async () => {
  const root = await project({ 'd/a': '1' }, ['d'])
  writeFiles(root, { 'd/a': 'changed', 'd/new': 'new' })
  await varve(['mv', 'd', 'e'], { cwd: root })
  expect(read(root, 'e/a') + read(root, 'e/new')).toBe('changednew')
  expect(await varve(['status'], { cwd: root })).toMatch(/modified +e\b/)
})

test('a rename by case alone', async () => {
  const root = await project({ 'Data/a': '1', 'File.csv': '2' }, ['Data', 'File.csv'])
  await varve(['mv', 'Data', 'data'], { cwd: root })
  await varve(['mv', 'File.csv', 'file.csv'], { cwd: root })
  expect(read(root, 'data/a') + read(root, 'file.csv')).toBe('12')
  expect(read(root, '.gitignore')).toBe('/data\n/file.csv\n')
  expect(git(root, 'ls-files', '*.varve')).toBe('data.varve\nfile.csv.varve')
})

test('without the data, the pointer alone moves', async () => {
  const root = await project({ 'd/a': '1' }, ['d'])
  rmSync(join(root, 'd'), { recursive: true })
  const { stderr } = await runVarve(['mv', 'd', 'e'], { cwd: root })
  expect(stderr).toContain('only its pointer moved')
  expect(status(root)).toBe('M  .gitignore\nR  d.varve -> e.varve')
  await varve(['checkout', 'e'], { cwd: root })
  expect(read(root, 'e/a')).toBe('1')
})

test('a link moves as a link', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  symlinkSync('nowhere', join(root, 'link'))
  await varve(['add', 'link'], { cwd: root })
  await varve(['mv', 'link', 'other'], { cwd: root })
  await isUnchanged(root, 'other')
})

test('--no-stage leaves the index alone', async () => {
  const root = await project({ a: '1' }, ['a'])
  await varve(['mv', 'a', 'b', '--no-stage'], { cwd: root })
  expect(status(root)).toBe(' M .gitignore\n D a.varve\n?? b.varve')
})

test('awkward names come through', async () => {
  const root = await project({ '#a [1] ': '1' }, ['#a [1] '])
  await varve(['mv', '#a [1] ', '!b* '], { cwd: root })
  expect(read(root, '.gitignore')).toBe('/!b\\*\\ \n')
  expect(git(root, 'ls-files', '-z', '*.varve')).toBe('!b* .varve\0')
  expect(git(root, 'check-ignore', '!b* ')).toBe('!b* ')
  expect(read(root, '!b* ')).toBe('1')
})

describe('refused, with nothing changed', () => {
  const cases: [string, string[], number, string][] = [
    ['over a file', ['a', 'plain'], 1, 'plain is there already'],
    ['over a tracked file', ['a', 'b'], 1, 'varve tracks b already'],
    ['over a tracked file that is not in the workspace', ['a', 'absent'], 1, 'varve tracks absent already'],
    ['over a file of the same name in a folder', ['a', 'full'], 1, 'full/a is there already'],
    ['over a dangling link', ['a', 'dangling'], 1, 'dangling is there already'],
    ['into a tracked directory', ['a', 'data'], 1, 'varve tracks data already'],
    ['below a tracked directory', ['a', 'data/new'], 1, 'cannot move a into data'],
    ['into itself', ['data', 'data/sub'], 2, 'into itself'],
    ['onto itself', ['a', 'a'], 2, 'is there already'],
    ['into the folder it is in', ['a', '.'], 2, 'is there already'],
    ['out of the repository', ['a', '../a'], 1, 'outside the repository'],
    ['into git', ['a', '.git/a'], 1, 'git'],
    ['to a name that reads as .git', ['a', '.GIT.'], 1, 'reads as .git'],
    ['to a name with a backslash', ['a', 'x\\y'], 1, 'backslash'],
    ['to a folder that is not there', ['a', 'none/a'], 1, 'there is no folder none'],
    ['to a folder that is not there, with a slash', ['a', 'none/'], 1, 'there is no folder none'],
    ['below a file', ['a', 'plain/x'], 1, 'there is no folder plain'],
    ['where git tracks files that are gone', ['a', 'gone'], 1, 'git already tracks gone'],
    ['where git ignores the pointer', ['a', 'ignored'], 6, 'git ignores ignored.varve'],
    ['of what is not tracked', ['plain', 'x'], 1, 'does not track plain'],
    ['of a part of a tracked directory', ['data/a', 'x'], 1, 'data/a lies in data'],
    ['of a folder with tracked files in it', ['full', 'x'], 1, 'full/tracked in it'],
    ['of a pointer in conflict', ['broken', 'x'], 6, 'broken.varve'],
    ['with one argument', ['a'], 2, 'missing argument'],
  ]

  // One repository for all: each case leaves it as it was, and setting it up is the slow part.
  test(`${cases.length} cases`, async () => {
    const root = await project(
      {
        ...{ a: 'a', b: 'b', absent: 'x', 'data/a': 'd', plain: 'plain', gone: 'g', broken: '1' },
        ...{ 'full/a': 'full', 'full/tracked': 't' },
      },
      ['a', 'b', 'absent', 'data', 'broken', 'full/tracked'],
    )
    git(root, 'add', 'plain', 'gone')
    rmSync(join(root, 'gone'))
    rmSync(join(root, 'absent'))
    symlinkSync('nowhere', join(root, 'dangling'))
    writeFiles(root, { '.git/info/exclude': 'ignored.varve\n', 'broken.varve': '<<<<<<< ours\n' })
    const before = status(root)
    for (const [what, args, code, words] of cases) {
      const { exitCode, stderr } = await runVarve(['mv', ...args], { cwd: root })
      expect({ what, exitCode, stderr }).toEqual({
        what,
        exitCode: code,
        stderr: expect.stringContaining(words),
      })
      expect({ what, status: status(root) }).toEqual({ what, status: before })
      expect(read(root, 'a') + read(root, 'plain') + read(root, 'full/a')).toBe('aplainfull')
      expect(has(root, '.git/varve/move.json')).toBe(false)
    }
  })
})

test('a hard link under another case is another file', async () => {
  const root = await project({ a: '1' }, ['a'])
  linkSync(join(root, 'a'), join(root, 'A'))
  const { exitCode, stderr } = await runVarve(['mv', 'a', 'A'], { cwd: root })
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('A is there already') })
})

test('through a link to a folder of the repository it goes where the link leads; out of it, nowhere', async () => {
  const root = await project({ a: '1', 'real/file': 'x' }, ['a'])
  symlinkSync('real', join(root, 'link'))
  symlinkSync(makeFolder(), join(root, 'outside'))
  expect((await runVarve(['mv', 'a', 'outside/a'], { cwd: root })).exitCode).toBe(1)
  expect(await varveJson(['mv', 'a', 'link/a'], { cwd: root })).toMatchObject({ to: 'real/a' })
})

describe('a move that was cut off', () => {
  const steps: ((root: string) => void)[] = [
    (root) => writeFiles(root, { '.gitignore': '/d\n/sub/x\n', 'sub/.gitignore': '/d\n' }),
    (root) => renameSync(join(root, 'd'), join(root, 'sub/d')),
    (root) => renameSync(join(root, 'd.varve'), join(root, 'sub/d.varve')),
    (root) => rmSync(join(root, '.gitignore')),
  ]

  async function cutOff(after: number): Promise<string> {
    const root = await project({ 'd/a': '1', 'sub/plain': 'x' }, ['d'])
    git(root, 'add', 'sub/plain')
    writeFiles(root, { '.git/varve/move.json': '{"from":"d","to":"sub/d"}' })
    for (const step of steps.slice(0, after)) step(root)
    return root
  }

  test.each([0, 1, 2, 3, 4])('after step %i is ended by the same command', async (after) => {
    const root = await cutOff(after)
    await varve(['mv', 'd', 'sub'], { cwd: root })
    expect(read(root, 'sub/d/a')).toBe('1')
    expect(has(root, 'd') || has(root, 'd.varve')).toBe(false)
    expect(read(root, 'sub/.gitignore')).toBe('/d\n')
    expect(status(root)).not.toMatch(/\?\?| [MD] /)
    expect(git(root, 'ls-files', '*.varve')).toBe('sub/d.varve')
    expect(has(root, '.git/varve/move.json')).toBe(false)
    await isUnchanged(root, 'sub/d')
  })

  test.each([2, 3])('after step %i overwrites nothing that came to its old name', async (after) => {
    const root = await cutOff(after)
    writeFiles(root, { 'd/a': 'newer' })
    const { exitCode, stderr } = await runVarve(['mv', 'd', 'sub'], { cwd: root })
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('sub/d is there') })
    expect(read(root, 'sub/d/a') + read(root, 'd/a')).toBe('1newer')
  })

  test('does not stand in the way of another move', async () => {
    const root = await cutOff(0)
    await varve(['mv', 'd', 'e'], { cwd: root })
    expect(read(root, 'e/a')).toBe('1')
    expect(has(root, '.git/varve/move.json')).toBe(false)
  })
})
