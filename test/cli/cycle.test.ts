import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

type Requests = { requests: Record<string, number> }
type Status = { paths: { path: string; state: string; onRemote?: boolean; counts: Record<string, number> }[] }

function requestsOf({ requests }: Requests): Record<string, number> {
  return Object.fromEntries(Object.entries(requests).filter(([, count]) => count > 0))
}

/** Data of every kind that a version can hold. */
function writeData(root: string): void {
  const many = Array.from({ length: 300 }, (_, i) => [`data/many/${i}.txt`, `the file ${i}\n`.repeat(20)])
  writeFiles(root, {
    ...Object.fromEntries(many),
    'data/big.bin': noise('big', 900_000),
    'data/empty.txt': '',
    'data/tool.sh': '#!/bin/sh\n',
    'models/a.onnx': noise('a', 5000),
    'models/b.onnx': noise('b', 5000),
    'models/notes.md': 'not a model\n',
    'lone file.csv': 'x,y\n1,2\n',
    'run.sh': '#!/bin/sh\n',
  })
  mkdirSync(join(root, 'data/empty directory/in it'), { recursive: true })
  symlinkSync('big.bin', join(root, 'data/link'))
  symlinkSync('../../outside', join(root, 'data/dangling'))
  symlinkSync('data/big.bin', join(root, 'current'))
  chmodSync(join(root, 'data/tool.sh'), 0o755)
  chmodSync(join(root, 'run.sh'), 0o755)
}

test('from add to a second clone and back: every kind of file, every kind of change', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeData(root)
  await varve(['add', 'data', 'models/*.onnx', 'lone file.csv', 'run.sh', 'current'], { cwd: root })
  commitAll(root, 'first')
  const remote = join(makeFolder(), 'remote')
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  commitAll(root, 'remote')
  expect(git(root, 'ls-files').split('\n')).toEqual([
    ...['.gitattributes', '.gitignore', 'current.varve', 'data.varve', 'lone file.csv.varve'],
    ...['models/.gitignore', 'models/a.onnx.varve', 'models/b.onnx.varve', 'models/notes.md'],
    ...['run.sh.varve', 'varve.yaml'],
  ])

  const pushed = await varveJson<Requests & { versions: unknown[] }>(['push'], { cwd: root })
  // Of a link there is nothing to send: its pointer says all.
  expect(pushed.versions).toHaveLength(5)
  const again = await varveJson<Requests & { versions: unknown[] }>(['push'], { cwd: root })
  expect(again.versions).toEqual([])
  expect(requestsOf(again)).toEqual({ list: 1 })

  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  await varve(['pull'], { cwd: clone })
  expect(treeOf(clone)).toEqual(treeOf(root))
  expect(git(clone, 'status', '--porcelain')).toBe('')
  expect(requestsOf(await varveJson<Requests>(['pull'], { cwd: clone }))).toEqual({})
  const { paths } = await varveJson<Status>(['status'], { cwd: clone })
  expect(paths.map(({ path, state, onRemote }) => ({ path, state, onRemote }))).toEqual(
    ['current', 'data', 'lone file.csv', 'models/a.onnx', 'models/b.onnx', 'run.sh'].map((path) => ({
      path,
      state: 'unchanged',
      onRemote: true,
    })),
  )

  writeFiles(root, { 'data/many/7.txt': 'changed\n', 'data/new/deep/file.txt': 'new\n' })
  rmSync(join(root, 'data/many/8.txt'))
  rmSync(join(root, 'data/empty directory'), { recursive: true })
  renameSync(join(root, 'data/big.bin'), join(root, 'data/large.bin'))
  rmSync(join(root, 'data/link'))
  symlinkSync('large.bin', join(root, 'data/link'))
  chmodSync(join(root, 'data/tool.sh'), 0o644)
  const changes = [
    { change: 'deleted', path: 'data/empty directory/in it/' },
    { change: 'renamed', path: 'data/large.bin', from: 'data/big.bin', sizeAfter: 900_000 },
    { change: 'modified', path: 'data/link', sizeBefore: 0, sizeAfter: 0 },
    { change: 'modified', path: 'data/many/7.txt', sizeBefore: 220, sizeAfter: 8 },
    { change: 'deleted', path: 'data/many/8.txt', sizeBefore: 220 },
    { change: 'added', path: 'data/new/deep/file.txt', sizeAfter: 4 },
    { change: 'modified', path: 'data/tool.sh', sizeBefore: 10, sizeAfter: 10 },
  ]
  type Changes = { path: string; changes: unknown[] }[]
  expect(await varveJson<Changes>(['diff'], { cwd: root })).toMatchObject([{ path: 'data', changes }])
  const modified = await varveJson<{ paths: Changes }>(['status', 'data'], { cwd: root })
  expect(modified.paths).toMatchObject([{ state: 'modified', changes }])

  await varve(['add', 'data'], { cwd: root })
  expect(await varveJson<Changes>(['diff'], { cwd: root })).toEqual([])
  commitAll(root, 'second')
  expect(await varveJson<Changes>(['diff', 'HEAD~1', 'HEAD'], { cwd: root })).toMatchObject([
    { path: 'data', changes },
  ])
  const second = await varveJson<Requests & { bytes: number }>(['push'], { cwd: root })
  expect(second.bytes).toBeLessThan(50_000)

  git(clone, 'pull', '--quiet')
  const behind = await varveJson<Status>(['status', 'data'], { cwd: clone })
  expect(behind.paths).toMatchObject([{ state: 'outdated' }])
  const pulled = await varveJson<Requests & { fetched: { bytes: number } }>(['pull'], { cwd: clone })
  expect(pulled.fetched.bytes).toBeLessThan(50_000)
  expect(treeOf(clone)).toEqual(treeOf(root))
  expect(git(clone, 'status', '--porcelain')).toBe('')
})

test('everything works from a sub-folder, with paths through it, and with -C', async () => {
  const root = makeRepository()
  writeFiles(root, { 'a/b/data/x.txt': 'x\n', 'top/y.txt': 'y\n' })
  const inside = { cwd: join(root, 'a/b') }
  await varve(['init'], inside)
  await varve(['add', 'data', '../../top'], inside)
  await varve(['remote', 'add', 'origin', '../../../remote'], inside)
  commitAll(root, 'first')
  writeFiles(root, { 'a/b/data/x.txt': 'changed\n', 'top/y.txt': 'changed\n' })
  const { paths } = await varveJson<Status>(['status', '.', '../../top/y.txt'], inside)
  expect(paths.map(({ path, state }) => [path, state])).toEqual([
    ['a/b/data', 'modified'],
    ['top', 'modified'],
  ])
  await varve(['checkout', '--force', 'data/../data/x.txt'], inside)
  expect(treeOf(join(root, 'a/b/data'))).toEqual({ 'x.txt': expect.stringContaining('2 bytes') })
  expect(treeOf(join(root, 'top'))).toEqual({ 'y.txt': expect.stringContaining('8 bytes') })
  await varve(['-C', root, '-C', 'top', 'checkout', '--force'], { cwd: makeFolder() })
  expect(treeOf(join(root, 'top'))).toEqual({ 'y.txt': expect.stringContaining('2 bytes') })
  const pushed = await varveJson<{ versions: { path: string }[] }>(['push', 'data'], inside)
  expect(pushed.versions.map(({ path }) => path)).toEqual(['a/b/data'])
})
