import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { logOfPath } from '../../../core/git/log-of-path.ts'
import { discoverRepository } from '../../../core/git/repository.ts'
import { commitAll, git, makeRepository } from '../../support/git-fixture.ts'

const ODD_NAME = '\u0001o dd\n:"näme".varve'

test('the log of a pointer is newest first, with who, when and what, deletions too', async () => {
  const root = makeRepository()
  commitAll(root, 'first: "näme"', { 'd/a.varve': '1', 'other.varve': 'o' })
  commitAll(root, 'unrelated', { 'other.varve': 'p' })
  commitAll(root, 'second\n\nwith a body', { 'd/a.varve': '2' })
  rmSync(join(root, 'd/a.varve'))
  const last = commitAll(root, 'gone')
  const versions = await logOfPath(await discoverRepository(root), 'd/a.varve')
  expect(versions.map(({ subject, blobSha }) => [subject, blobSha])).toEqual([
    ['gone', undefined],
    ['second', git(root, 'rev-parse', 'HEAD~1:d/a.varve')],
    ['first: "näme"', git(root, 'rev-parse', 'HEAD~3:d/a.varve')],
  ])
  expect(versions[0]).toEqual({
    commit: last,
    authorName: 'Ada Author',
    authorEmail: 'ada@example.org',
    date: git(root, 'log', '-1', '--format=%aI'),
    subject: 'gone',
    path: 'd/a.varve',
    blobSha: undefined,
  })
  const older = await logOfPath(await discoverRepository(root), 'd/a.varve', { rev: 'HEAD~2' })
  expect(older.map(({ subject }) => subject)).toEqual(['first: "näme"'])
})

test('the log goes on under the older name, and only where the pointer itself is the same', async () => {
  const root = makeRepository()
  const pointer = (id: string) => `varve: 1\nkind: dir\nid: ${id.repeat(64)}\nsize: 1\nfiles: 1\n`
  commitAll(root, 'c1', { 'a.varve': pointer('1') })
  commitAll(root, 'c2', { 'a.varve': pointer('2') })
  git(root, 'mv', 'a.varve', ODD_NAME)
  commitAll(root, 'c3 renamed')
  commitAll(root, 'c4', { [ODD_NAME]: pointer('4') })
  git(root, 'mv', ODD_NAME, 'd.varve')
  commitAll(root, 'c5 replaced', { 'd.varve': pointer('5') })
  const repository = await discoverRepository(root)
  const log = async (path: string) => {
    return (await logOfPath(repository, path)).map((version) => `${version.subject} ${version.path}`)
  }
  expect(await log('d.varve')).toEqual(['c5 replaced d.varve'])
  expect(await log(ODD_NAME)).toEqual([
    `c5 replaced ${ODD_NAME}`,
    `c4 ${ODD_NAME}`,
    `c3 renamed ${ODD_NAME}`,
    'c2 a.varve',
    'c1 a.varve',
  ])
})

test('the log follows a rename on one branch of a change on another', async () => {
  const root = makeRepository()
  const lines = ['1', '2', '3', '4', '5', '6', '7', '8'].map((line) => `${line.repeat(20)}\n`)
  commitAll(root, 'base', { 'a.varve': lines.join('') })
  git(root, 'checkout', '--quiet', '-b', 'side')
  commitAll(root, 'side changed', { 'a.varve': [...lines, 'new\n'].join('') })
  git(root, 'checkout', '--quiet', 'main')
  git(root, 'mv', 'a.varve', 'b.varve')
  commitAll(root, 'main renamed')
  git(root, 'merge', '--quiet', '--message', 'merge', 'side')
  const versions = await logOfPath(await discoverRepository(root), 'b.varve')
  expect(versions.map(({ subject, path }) => `${subject} ${path}`)).toEqual([
    'merge b.varve',
    'main renamed b.varve',
    'side changed a.varve',
    'base a.varve',
  ])
})

test('two pointers that swapped names do not send the log in circles', async () => {
  const root = makeRepository()
  commitAll(root, 'c1', { 'a.varve': 'one', 'b.varve': 'two' })
  commitAll(root, 'c2', { 'a.varve': 'two', 'b.varve': 'one' })
  renameSync(join(root, 'a.varve'), join(root, 'c.varve'))
  commitAll(root, 'c3')
  renameSync(join(root, 'c.varve'), join(root, 'a.varve'))
  commitAll(root, 'c4')
  const versions = await logOfPath(await discoverRepository(root), 'a.varve')
  expect(versions.map(({ subject, path }) => `${subject} ${path}`)).toEqual([
    'c4 a.varve',
    'c3 a.varve',
    'c2 a.varve',
    'c1 a.varve',
    'c3 c.varve',
  ])
})

test('the log is of a pointer', async () => {
  const repository = await discoverRepository(makeRepository())
  await expect(logOfPath(repository, 'a.txt')).rejects.toMatchObject({ code: 'NOT_TRACKED' })
})
