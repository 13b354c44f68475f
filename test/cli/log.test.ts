import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { BIG_BYTES, makeVersionedRepository, pushAndClone } from '../support/versioned-repository.ts'

type Logged = {
  commit: string | null
  date: string | null
  author: { name: string; email: string } | null
  subject: string | null
  path: string
  change: string
  from: string | null
  id: string | null
  sizeBytes: number | null
  files: number | null
  problem: string | null
  counts: Record<string, number> | null
}

const NONE = { added: 0, deleted: 0, modified: 0, renamed: 0, bytesAdded: 0, bytesDeleted: 0 }
const outline = (all: Logged[]) => all.map(({ subject, path, change }) => `${subject} ${path} ${change}`)

test('the versions of a path with what changed in each', async () => {
  const root = await makeVersionedRepository()
  const all = await varveJson<Logged[]>(['log', 'data'], { cwd: root })
  expect(all).toEqual([
    {
      commit: git(root, 'rev-parse', 'v2'),
      date: expect.stringMatching(/^2024-\d\d-\d\dT/),
      author: { name: 'Ada Author', email: 'ada@example.org' },
      subject: 'second',
      path: 'data',
      change: 'modified',
      from: null,
      kind: 'dir',
      id: expect.stringMatching(/^b3:[0-9a-f]{64}$/),
      sizeBytes: BIG_BYTES + 23,
      files: 6,
      problem: null,
      counts: { added: 1, deleted: 1, modified: 1, renamed: 1, bytesAdded: 9, bytesDeleted: 5 },
    },
    expect.objectContaining({
      commit: git(root, 'rev-parse', 'v1'),
      change: 'added',
      counts: { ...NONE, added: 6, bytesAdded: BIG_BYTES + 19 },
    }),
  ])
  expect(outline(await varveJson(['log', 'data.varve', '-n', '1'], { cwd: root }))).toEqual([
    'second data modified',
  ])
})

test('without a path, all that is tracked, by commit; with a folder, what is in it', async () => {
  const root = await makeVersionedRepository()
  const all = ['second data modified', 'first data added', 'first models/base.bin added']
  expect(outline(await varveJson(['log'], { cwd: root }))).toEqual(all)
  expect(outline(await varveJson(['log', '-n', '2'], { cwd: root }))).toEqual(all.slice(0, 2))
  expect(outline(await varveJson(['log', 'models'], { cwd: root }))).toEqual(all.slice(2))
  const text = await varve(['log'], { cwd: root })
  expect(text).toMatch(
    /^[0-9a-f]{10} {2}2024-01-\d\d \d\d:\d\d \+0000 {2}Ada Author {2}second\n {2}data {2}b3:[0-9a-f]{10} {2}586 KiB in 6 files {2}\(1 added, 1 modified, 1 deleted, 1 renamed; \+9 B -5 B\)\n\n/,
  )
})

test('what is not committed comes first', async () => {
  const root = await makeVersionedRepository()
  writeFiles(root, { 'data/more.txt': 'more\n' })
  await varve(['add', 'data'], { cwd: root })
  const [first, second] = await varveJson<Logged[]>(['log', 'data'], { cwd: root })
  expect(first).toMatchObject({ commit: null, date: null, author: null, change: 'modified', files: 7 })
  expect(first?.counts).toEqual({ ...NONE, added: 1, bytesAdded: 5 })
  expect(second?.subject).toBe('second')
  expect(await varve(['log', '-n', '1'], { cwd: root })).toMatch(/^\(not committed\)\n {2}data {2}b3:/)

  rmSync(join(root, 'data.varve'))
  const deleted = await varveJson<Logged[]>(['log', 'data', '-n', '1'], { cwd: root })
  expect(deleted).toMatchObject([{ commit: null, change: 'deleted', id: null, counts: { deleted: 6 } }])
})

test('a path is followed through renames, committed or not; deletion ends it', async () => {
  const root = await makeVersionedRepository()
  await varve(['mv', 'data', 'images'], { cwd: root })
  const before = await varveJson<Logged[]>(['log', 'images'], { cwd: root })
  expect(outline(before)).toEqual(['null images renamed', 'second data modified', 'first data added'])
  commitAll(root, 'renamed')
  const after = ['renamed images renamed', 'second data modified', 'first data added']
  const renamed = await varveJson<Logged[]>(['log', 'images'], { cwd: root })
  expect(outline(renamed)).toEqual(after)
  expect(renamed[0]).toMatchObject({ from: 'data', counts: NONE })
  expect(outline(await varveJson(['log', '-n', '1'], { cwd: root }))).toEqual(after.slice(0, 1))

  git(root, 'rm', '--quiet', 'images.varve')
  commitAll(root, 'deleted')
  const deleted = await varveJson<Logged[]>(['log', 'images'], { cwd: root })
  expect(outline(deleted)).toEqual(['deleted images deleted', ...after])
  expect(deleted[0]).toMatchObject({
    id: null,
    counts: { ...NONE, deleted: 6, bytesDeleted: BIG_BYTES + 23 },
  })
})

test('a version is compared with that of its parent, not with a side branch', async () => {
  const root = await makeVersionedRepository()
  git(root, 'checkout', '--quiet', '-b', 'side', 'v1')
  writeFiles(root, { 'models/base.bin': 'side model\n' })
  await varve(['add', 'models/base.bin'], { cwd: root })
  commitAll(root, 'side')
  git(root, 'checkout', '--quiet', 'main')
  git(root, 'merge', '--quiet', '--no-edit', 'side')
  const all = await varveJson<Logged[]>(['log'], { cwd: root })
  expect(outline(all)).toEqual([
    'side models/base.bin modified',
    'second data modified',
    'first data added',
    'first models/base.bin added',
  ])
  expect(all[0]?.counts).toEqual({ ...NONE, modified: 1, bytesAdded: 5 })
})

test('listings that were never fetched are no failure', async () => {
  const clone = await pushAndClone(await makeVersionedRepository())
  const all = await varveJson<Logged[]>(['log', 'data'], { cwd: clone })
  expect(all.map(({ counts }) => counts?.added ?? null)).toEqual([null, 6])
  expect(await varve(['log', 'data'], { cwd: clone })).toMatch(/\(changes unknown: not fetched\)/)
})

test('a pointer that cannot be read is shown as that', async () => {
  const root = await makeVersionedRepository()
  commitAll(root, 'broken', { 'data.varve': 'varve: 1\nkind: nothing\n' })
  const [first, second] = await varveJson<Logged[]>(['log', 'data'], { cwd: root })
  expect(first).toMatchObject({ subject: 'broken', id: null, counts: null })
  expect(first?.problem).toMatch(/data\.varve/)
  expect(second?.subject).toBe('second')
  expect(await varve(['log', 'data'], { cwd: root })).toMatch(/ {2}data {2}unreadable pointer: /)
})

test('nothing tracked, no commit yet, a path that never was', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  expect(await varveJson(['log'], { cwd: root })).toEqual([])
  writeFiles(root, { 'a.txt': 'a' })
  await varve(['add', 'a.txt'], { cwd: root })
  expect(outline(await varveJson(['log', 'a.txt'], { cwd: root }))).toEqual(['null a.txt added'])
  const { exitCode, stderr } = await runVarve(['log', 'never'], { cwd: root })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/tracked never/)
  expect((await runVarve(['log', '-n', '0'], { cwd: root })).exitCode).toBe(2)
})
