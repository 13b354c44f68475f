import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

type Pulled = {
  requests: { read: number; list: number; bytesRead: number }
  fetched: { packs: number; bytes: number }
  streamedBytes: number
  checkedOut: { path: string; written: number; removed: number }[]
}

/** `data` has 3 MB in it, `model.bin` half a megabyte; a clone of it with an empty store. */
async function makeClone(): Promise<{ root: string; clone: string; remote: string }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  const big = noise('big', 2_000_000)
  writeFiles(root, {
    'data/big.bin': big,
    'data/copy.bin': big,
    'data/run.sh': '#!/bin/sh\n',
    'data/empty': '',
    'data/sub/x.bin': noise('x', 900_000),
    'data/sub/y.txt': 'y\n',
    ...Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`data/small/${i}.txt`, `file ${i}\n`])),
    'model.bin': noise('model', 500_000),
  })
  chmodSync(join(root, 'data/run.sh'), 0o755)
  symlinkSync('big.bin', join(root, 'data/link'))
  await varve(['add', 'data', 'model.bin'], { cwd: root })
  const remote = join(makeFolder(), 'remote')
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  commitAll(root, 'first')
  await varve(['push'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { root, clone, remote }
}

function storedBytes(clone: string): number {
  const folder = join(clone, '.git/varve')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

const pull = (clone: string, ...args: string[]) =>
  varveJson<Pulled>(['pull', '--no-store', ...args], { cwd: clone })
const statesOf = async (clone: string) =>
  (await varveJson<{ paths: { state: string }[] }>(['status'], { cwd: clone })).paths.map(
    ({ state }) => state,
  )

test('bytes go into the workspace and not into the store, and every later command is content', async () => {
  const { root, clone } = await makeClone()
  const { requests, streamedBytes, fetched } = await pull(clone)
  expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
  expect(readFileSync(join(clone, 'model.bin'))).toEqual(readFileSync(join(root, 'model.bin')))
  expect(streamedBytes).toBeGreaterThan(3_300_000)
  expect(requests.bytesRead).toBeLessThan(streamedBytes + 100_000)
  expect(fetched.packs).toBeGreaterThan(0)
  expect(storedBytes(clone)).toBeLessThan(200_000)

  expect(await statesOf(clone)).toEqual(['unchanged', 'unchanged'])
  expect(await varve(['diff'], { cwd: clone })).toBe('')
  expect(await varve(['checkout'], { cwd: clone })).toBe('everything is checked out\n')
  expect((await pull(clone)).requests).toMatchObject({ read: 0, list: 0 })
  expect(await varve(['verify'], { cwd: clone })).toContain('all is well')
  expect(await varve(['push'], { cwd: clone })).toContain('has everything')
  expect(storedBytes(clone)).toBeLessThan(200_000)

  // What was pulled so can be kept after all.
  await varve(['pull'], { cwd: clone })
  expect(storedBytes(clone)).toBeGreaterThan(3_300_000)
})

test('a change is added, pushed and pulled without the rest being taken in', async () => {
  const { root, clone } = await makeClone()
  await pull(clone)
  writeFiles(clone, { 'data/sub/y.txt': 'changed\n', 'data/new.txt': 'new\n' })
  rmSync(join(clone, 'data/small/7.txt'))
  await varve(['add', 'data'], { cwd: clone })
  expect(storedBytes(clone)).toBeLessThan(300_000)
  expect(await statesOf(clone)).toEqual(['unchanged', 'unchanged'])
  const listed = await varve(['ls', '--recursive', 'data'], { cwd: clone })
  expect(listed).toContain('big.bin')
  expect(listed).not.toContain('small/7.txt')
  // A second change, on top of a version that is at no remote.
  writeFiles(clone, { 'data/new.txt': 'newer\n' })
  await varve(['add', '--update'], { cwd: clone })
  expect(storedBytes(clone)).toBeLessThan(300_000)
  git(clone, 'commit', '--quiet', '--all', '--message', 'second')
  const pushed = await varveJson<{ bytes: number }>(['push'], { cwd: clone })
  expect(pushed.bytes).toBeLessThan(50_000)

  git(root, 'pull', '--quiet', clone, 'main')
  await varve(['pull'], { cwd: root })
  expect(treeOf(join(root, 'data'))).toEqual(treeOf(join(clone, 'data')))
  await varve(['verify', '--full'], { cwd: root })
})

test('the next version replaces and removes what came with the last, and nothing of the user’s', async () => {
  const { root, clone } = await makeClone()
  await pull(clone)
  writeFiles(root, { 'data/sub/x.bin': noise('x2', 900_000), 'model.bin': noise('model 2', 500_000) })
  rmSync(join(root, 'data/small'), { recursive: true })
  await varve(['add', 'data', 'model.bin'], { cwd: root })
  commitAll(root, 'second')
  await varve(['push'], { cwd: root })
  git(clone, 'pull', '--quiet')
  writeFiles(clone, { 'data/small/mine.txt': 'mine\n', 'model.bin': 'my own model\n' })

  const { exitCode, stderr } = await runVarve(['pull', '--no-store'], { cwd: clone })
  expect([exitCode, stderr]).toEqual([6, expect.stringContaining('would be lost: model.bin')])
  expect(existsSync(join(clone, 'data/small/7.txt'))).toBe(true)

  const { checkedOut, streamedBytes } = await pull(clone, '--force')
  expect(checkedOut).toMatchObject([
    { path: 'data', written: 1, removed: 50 },
    { path: 'model.bin', written: 1 },
  ])
  expect(streamedBytes).toBeLessThan(1_500_000)
  expect(readdirSync(join(clone, 'data/small'))).toEqual(['mine.txt'])
  rmSync(join(clone, 'data/small'), { recursive: true })
  expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
})

test('a part, then the rest', async () => {
  const { root, clone } = await makeClone()
  const part = await pull(clone, 'data/sub')
  expect(part.streamedBytes).toBeLessThan(1_000_000)
  expect(Object.keys(treeOf(join(clone, 'data'))).sort()).toEqual(['sub', 'sub/x.bin', 'sub/y.txt'])
  expect(await statesOf(clone)).toEqual(['unchanged', 'not-pulled'])
  const rest = await pull(clone, 'data', 'model.bin')
  expect(rest.checkedOut[0]!.written).toBe(Object.keys(treeOf(join(root, 'data'))).length - 4)
  expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
})

test('what a shared store has is taken from there', async () => {
  const { root, clone } = await makeClone()
  const store = join(makeFolder(), 'store')
  await varve(['init', '--store', store], { cwd: clone })
  await varve(['fetch', 'data/big.bin', 'data/small'], { cwd: clone })
  const { streamedBytes, requests } = await pull(clone)
  expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
  expect(streamedBytes).toBeLessThan(1_600_000)
  expect(requests.bytesRead).toBeLessThan(1_800_000)
})

test('what the remote lacks stops a pull of it by name, and no other path', async () => {
  const { root, clone } = await makeClone()
  writeFiles(root, { 'other.bin': 'never pushed\n' })
  await varve(['add', 'other.bin'], { cwd: root })
  commitAll(root, 'second')
  git(clone, 'pull', '--quiet')
  const named = await runVarve(['pull', '--no-store', 'other.bin', 'model.bin'], { cwd: clone })
  expect(named.exitCode).toBe(8)
  expect(existsSync(join(clone, 'model.bin'))).toBe(false)
  const bare = await runVarve(['pull', '--no-store'], { cwd: clone })
  expect([bare.exitCode, bare.stderr]).toEqual([8, expect.stringContaining('lacks the bytes of other.bin')])
  expect(treeOf(join(clone, 'data'))).toEqual(treeOf(join(root, 'data')))
  expect(storedBytes(clone)).toBeLessThan(200_000)
})

test.each([['--all'], ['--rev', 'HEAD']])('%s has nowhere to go', async (...words) => {
  const { clone } = await makeClone()
  const { exitCode, stderr } = await runVarve(['pull', '--no-store', ...words], { cwd: clone })
  expect(exitCode).toBe(2)
  expect(stderr).toContain('--no-store')
})
