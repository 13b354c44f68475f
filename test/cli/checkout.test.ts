import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'

type CheckedOut = { paths: { path: string; written: number; removed: number; kept: string[] }[] }

/** Two versions of `data`, tagged v1 and v2; each function makes one of them in the workspace. */
async function makeVersions(one: (root: string) => void, two: (root: string) => void): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  for (const [i, make] of [one, two].entries()) {
    make(root)
    await varve(['add', 'data'], { cwd: root })
    commitAll(root, `${i + 1}`)
    git(root, 'tag', `v${i + 1}`)
  }
  return root
}

async function go(root: string, revision: string, ...options: string[]): Promise<CheckedOut['paths']> {
  git(root, 'checkout', '--quiet', revision)
  const { paths } = await varveJson<CheckedOut>(['checkout', ...options], { cwd: root })
  return paths
}

const lost = (...paths: string[]) => ({
  code: 'WOULD_LOSE_DATA' as const,
  message: `changes that no version holds would be lost: ${paths.join(', ')}`,
  hint: /keep .*`--force`/i,
})

describe('files that were never added', () => {
  it('are kept and listed, also in a directory that the version lacks', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/sub/b': '2', 'data/gone/c': '3' }),
    )
    writeFiles(root, { 'data/mine': 'm', 'data/sub/mine': 'm' })
    mkdirSync(join(root, 'data/my empty directory'))
    expect(await go(root, 'v1')).toEqual([
      expect.objectContaining({ written: 0, removed: 2, kept: ['data/mine', 'data/sub/mine'] }),
    ])
    expect(Object.keys(treeOf(join(root, 'data'))).sort()).toEqual([
      'a',
      'mine',
      'my empty directory',
      'sub',
      'sub/mine',
    ])
  })

  it('are kept even where some version holds their bytes', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/b': '2' }),
    )
    writeFiles(root, { 'data/copy of a': '1' })
    expect(await go(root, 'v1')).toMatchObject([{ kept: ['data/copy of a'] }])
  })

  it('stop it where a file of the version belongs, and go with --force', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/x': 'a file' }),
      (root) => {
        rmSync(join(root, 'data/x'))
        writeFiles(root, { 'data/x/y': 'below', 'data/z': 'z' })
      },
    )
    writeFiles(root, { 'data/x/mine': 'm' })
    mkdirSync(join(root, 'data/x/empty'))
    git(root, 'checkout', '--quiet', 'v1')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/x/mine'))
    await varve(['checkout', '--force'], { cwd: root })
    expect(readFileSync(join(root, 'data/x'), 'utf8')).toBe('a file')
    // And the other way round: a file where a directory of the version belongs.
    writeFiles(root, { 'data/x': 'changed' })
    git(root, 'checkout', '--quiet', 'v2')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/x'))
    await varve(['checkout', '--force'], { cwd: root })
    expect(Object.keys(treeOf(join(root, 'data'))).sort()).toEqual(['x', 'x/y', 'z'])
  })

  it('stop it where they stand in place of a new directory or file', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/dir/b': '2', 'data/file': '3' }),
    )
    await go(root, 'v1')
    writeFiles(root, { 'data/dir': 'mine' })
    mkdirSync(join(root, 'data/file'))
    git(root, 'checkout', '--quiet', 'v2')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/dir'))
    // The empty directory is in no one's way: nothing is lost with it.
    await varve(['checkout', '--force'], { cwd: root })
    expect(readFileSync(join(root, 'data/dir/b'), 'utf8')).toBe('2')
    expect(readFileSync(join(root, 'data/file'), 'utf8')).toBe('3')
  })
})

describe('a change that no version holds', () => {
  it('stops it before anything is touched, in any of the paths; --force gives it up', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1', 'data/b': '1' }),
      (root) => writeFiles(root, { 'data/a': '2', 'data/b': '2' }),
    )
    writeFiles(root, { later: 'x' })
    await varve(['add', 'later'], { cwd: root })
    writeFiles(root, { later: 'not added', 'data/b': 'not added' })
    git(root, 'checkout', '--quiet', 'v1', '--', 'data.varve')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/b', 'later'))
    await varve(['checkout', '--force', 'data'], { cwd: root })
    expect(readFileSync(join(root, 'data/b'), 'utf8')).toBe('1')
    expect(readFileSync(join(root, 'later'), 'utf8')).toBe('not added')
  })

  it('in a file that the version lacks keeps the file', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/b': '2' }),
    )
    writeFiles(root, { 'data/b': 'not added' })
    expect(await go(root, 'v1')).toMatchObject([{ removed: 0, kept: ['data/b'] }])
  })

  it('of a link counts as one, and a link that was only checked out does not', async () => {
    const link = (target: string) => (root: string) => {
      mkdirSync(join(root, 'data'), { recursive: true })
      rmSync(join(root, 'data/link'), { force: true })
      symlinkSync(target, join(root, 'data/link'))
    }
    const root = await makeVersions(link('one'), link('two'))
    await go(root, 'v1')
    link('mine')(root)
    git(root, 'checkout', '--quiet', 'v2')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/link'))
    await varve(['checkout', '--force'], { cwd: root })
    expect(treeOf(join(root, 'data'))).toEqual({ link: 'link to two' })
  })

  it('that is the version itself is none', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/a': '2' }),
    )
    writeFiles(root, { 'data/a': '1' })
    expect(await go(root, 'v1')).toMatchObject([{ written: 0, removed: 0 }])
  })
})

test('a tracked link follows its versions without --force', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  for (const target of ['one', 'two']) {
    rmSync(join(root, 'link'), { force: true })
    symlinkSync(target, join(root, 'link'))
    await varve(['add', 'link'], { cwd: root })
    commitAll(root, target)
    git(root, 'tag', target)
  }
  git(root, 'checkout', '--quiet', 'one')
  await varve(['checkout'], { cwd: root })
  expect(treeOf(root).link).toBe('link to one')
  rmSync(join(root, 'link'))
  symlinkSync('mine', join(root, 'link'))
  git(root, 'checkout', '--quiet', 'two')
  await expectRefusal(['checkout'], { cwd: root }, lost('link'))
})

test('a path that changes its kind goes back and forth between all of them, at the top and inside', async () => {
  const kinds: ((path: string) => void)[] = [
    (path) => writeFiles(path, { '../data': 'content' }),
    (path) => {
      writeFiles(path, { '../data': 'content' })
      chmodSync(path, 0o755)
    },
    (path) => writeFiles(path, { 'a/b': '1', c: '2' }),
    (path) => mkdirSync(path),
    (path) => symlinkSync('elsewhere', path),
  ]
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  const trees: unknown[] = []
  for (const [i, make] of kinds.entries()) {
    for (const path of ['data', 'outer/data']) {
      rmSync(join(root, path), { recursive: true, force: true })
      mkdirSync(join(root, 'outer'), { recursive: true })
      make(join(root, path))
    }
    await varve(['add', 'data', 'outer'], { cwd: root })
    commitAll(root, `${i}`)
    git(root, 'tag', `${i}`)
    trees.push(treeOf(root))
  }
  // A walk that takes every step from one kind to another once.
  for (const kind of [0, 1, 2, 3, 4, 0, 2, 4, 1, 3, 0, 3, 1, 4, 2, 0, 4, 3, 2, 1, 0]) {
    git(root, 'checkout', '--quiet', `tags/${kind}`)
    await varve(['checkout'], { cwd: root })
    expect(treeOf(root)).toEqual(trees[kind])
  }
})

describe('a symbolic link in the workspace', () => {
  it('in place of a directory of the version is never written through', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/sub/a': '1', 'data/sub/b': '1' }),
      (root) => writeFiles(root, { 'data/sub/a': '2' }),
    )
    const outside = makeFolder()
    renameSync(join(root, 'data/sub'), join(outside, 'sub'))
    symlinkSync(join(outside, 'sub'), join(root, 'data/sub'))
    const before = treeOf(outside)
    git(root, 'checkout', '--quiet', 'v1')
    await expectRefusal(['checkout'], { cwd: root }, lost('data/sub'))
    await varve(['checkout', '--force'], { cwd: root })
    expect(treeOf(outside)).toEqual(before)
    expect(lstatSync(join(root, 'data/sub')).isDirectory()).toBe(true)
    expect(readFileSync(join(root, 'data/sub/a'), 'utf8')).toBe('1')
  })

  it('in place of the tracked directory, or of a file, is replaced and not followed', async () => {
    const root = await makeVersions(
      (root) => writeFiles(root, { 'data/a': '1' }),
      (root) => writeFiles(root, { 'data/a': '2' }),
    )
    const outside = makeFolder()
    writeFiles(outside, { a: 'theirs' })
    rmSync(join(root, 'data/a'))
    symlinkSync(join(outside, 'a'), join(root, 'data/a'))
    await expectRefusal(['checkout'], { cwd: root }, lost('data/a'))
    await varve(['checkout', '--force'], { cwd: root })
    rmSync(join(root, 'data'), { recursive: true })
    symlinkSync(outside, join(root, 'data'))
    await expectRefusal(['checkout'], { cwd: root }, lost('data'))
    await varve(['checkout', '--force'], { cwd: root })
    expect(treeOf(outside)).toEqual({ a: expect.stringContaining('6 bytes') })
    expect(readFileSync(join(root, 'data/a'), 'utf8')).toBe('2')
  })

  it('above the tracked directory is not written through', async () => {
    const root = makeRepository()
    await varve(['init'], { cwd: root })
    writeFiles(root, { 'up/data/a': '1' })
    await varve(['add', 'up/data'], { cwd: root })
    commitAll(root, 'one')
    const outside = makeFolder()
    rmSync(join(root, 'up/data'), { recursive: true })
    renameSync(join(root, 'up'), join(outside, 'up'))
    symlinkSync(join(outside, 'up'), join(root, 'up'))
    const before = treeOf(outside)
    await varve(['checkout'], { cwd: root }).catch((error) =>
      expect(String(error)).toMatch(/ended with [1-9]/),
    )
    expect(treeOf(outside)).toEqual(before)
  })
})
