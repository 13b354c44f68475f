import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { makeVersionedRepository, packFiles, pushAndClone } from '../support/versioned-repository.ts'

type Entry = { path: string; kind: string; sizeBytes: number; id?: string; target?: string; files?: number }
type List = { revision: string | null; kind: string; path: string; entries: Entry[] }

test('one level of a directory, the directories marked; -R goes on; -l adds kind, size and id', async () => {
  const root = await makeVersionedRepository()
  const run = (...args: string[]) => varve(['ls', ...args], { cwd: root })
  expect(await run('data')).toBe('big.bin\nlink\nnew name.txt\nsame.txt\nsub/\nv2:notes.txt\n')
  expect(await run('-R', 'data/sub/')).toBe('deep/\ndeep/leaf.txt\n')
  expect(await run('-l', 'data/sub')).toMatch(/^dir +5 B {2}b3:[0-9a-f]{10} {2}deep\/\n$/)
  expect(await run('-l', 'data')).toMatch(/^link +0 B +link -> same\.txt$/m)
  expect(await run('models/base.bin')).toBe('models/base.bin\n')

  const list = await varveJson<List>(['ls', 'v1:data/sub'], { cwd: root })
  expect(list).toEqual({
    revision: 'v1',
    kind: 'dir',
    path: 'data/sub',
    entries: [
      { path: 'data/sub/deep', kind: 'dir', sizeBytes: 5, id: expect.stringMatching(/^b3:[0-9a-f]{64}$/) },
      { path: 'data/sub/gone.txt', kind: 'file', sizeBytes: 5, id: expect.stringMatching(/^b3:/) },
    ],
  })
})

test('a folder of the repository lists what is tracked below it', async () => {
  const root = await makeVersionedRepository()
  expect(await varve(['ls'], { cwd: root })).toBe('data/\nmodels/base.bin\n')
  expect(await varve(['ls', 'v1:'], { cwd: root })).toBe('data/\nmodels/base.bin\n')
  expect(await varve(['ls', 'models'], { cwd: root })).toBe('base.bin\n')
  expect(await varve(['ls', '-R', 'v1:models'], { cwd: root })).toBe('base.bin\n')
  const { entries } = await varveJson<List>(['ls', '.'], { cwd: root })
  expect(entries).toMatchObject([
    { path: 'data', files: 6 },
    { path: 'models/base.bin', files: 1 },
  ])

  const empty = makeRepository()
  await varve(['init'], { cwd: empty })
  expect(await varve(['ls'], { cwd: empty })).toBe('')
})

test('REV:PATH counts from the root, REV:./PATH and a bare PATH from here', async () => {
  const root = await makeVersionedRepository()
  const cwd = join(root, 'data', 'sub')
  expect(await varve(['ls'], { cwd })).toBe('deep/\n')
  expect(await varve(['ls', 'v1:./'], { cwd })).toBe('deep/\ngone.txt\n')
  expect(await varve(['ls', 'v1:../sub'], { cwd })).toBe('deep/\ngone.txt\n')
  expect(await varve(['ls', 'v1:data/sub'], { cwd })).toBe('deep/\ngone.txt\n')
  expect(await varve(['ls', '../../models'], { cwd })).toBe('base.bin\n')
  const outside = await runVarve(['ls', 'v1:../../../x'], { cwd })
  expect(outside).toMatchObject({ exitCode: 1, stdout: '' })
  expect(outside.stderr).toContain('lies outside the repository')
})

test('a tracked name with a colon wins over a revision of that name', async () => {
  const root = await makeVersionedRepository()
  writeFiles(root, { 'v1:data/inner.txt': 'inner\n' })
  await varve(['add', 'v1:data'], { cwd: root })
  expect(await varve(['ls', 'v1:data'], { cwd: root })).toBe('inner.txt\n')
  expect(await varve(['ls', 'v1:./data/sub'], { cwd: root })).toBe('deep/\ngone.txt\n')
  // Nothing of that name is in the tracked directory, so it is a revision after all.
  expect(await varve(['ls', 'v1:data/sub'], { cwd: root })).toBe('deep/\ngone.txt\n')
})

test('what is not there: the revision, the path, the name inside', async () => {
  const root = await makeVersionedRepository()
  const fails = async (path: string) => {
    const { exitCode, stdout, stderr } = await runVarve(['ls', path], { cwd: root })
    expect([exitCode, stdout]).toEqual([1, ''])
    return stderr
  }
  expect(await fails('v9:data')).toMatch(/no such commit: "v9"/)
  expect(await fails('nowhere')).toMatch(/varve does not track nowhere/)
  expect(await fails('v1:nowhere')).toMatch(/varve does not track v1:nowhere/)
  expect(await fails('v1:data/new name.txt')).toMatch(/data in v1 has no such file/)
  expect(await fails('models/base.bin/x')).toMatch(/models\/base\.bin is a file, not a directory/)
})

test('a fresh clone fetches listings alone; without a remote it says what to do', async () => {
  const root = await makeVersionedRepository()
  const clone = await pushAndClone(root)
  expect(await varve(['ls', '-R', 'v1:data/sub'], { cwd: clone })).toBe('deep/\ndeep/leaf.txt\ngone.txt\n')
  const store = join(clone, '.git/varve')
  const { readFileSync } = await import('node:fs')
  // Byte 12 of a pack is its class: 1 for metadata.
  expect(packFiles(store).map((path) => readFileSync(path)[12])).toEqual(packFiles(store).map(() => 1))
  expect(existsSync(join(clone, 'data'))).toBe(false)

  const bare = await pushAndClone(await makeVersionedRepository())
  await varve(['remote', 'remove', 'origin'], { cwd: bare })
  const { exitCode, stderr } = await runVarve(['ls', 'data'], { cwd: bare })
  expect(exitCode).toBe(8)
  expect(stderr).toMatch(/data is not in the store, and there is no remote\nhint: .*varve remote add/)
})

test('a bad pointer is named, and the others listed', async () => {
  const root = await makeVersionedRepository()
  commitAll(root, 'bad', { 'bad.varve': 'varve: 1\nkind: nothing\n' })
  const { exitCode, stdout, stderr } = await runVarve(['ls', 'HEAD:'], { cwd: root })
  expect([exitCode, stdout]).toEqual([0, 'data/\nmodels/base.bin\n'])
  expect(stderr).toMatch(/warning: HEAD:bad\.varve/)
  expect((await runVarve(['ls', 'bad'], { cwd: root })).exitCode).toBe(7)
  expect(git(root, 'status', '--porcelain')).toBe('')
})
