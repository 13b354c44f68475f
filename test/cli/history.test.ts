import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

type Pushed = { versions: { path: string; id: string }[]; bytes: number }
type Requests = { requests: Record<string, number> }

/** A repository with a remote and, for each text, a commit in which `data/x.txt` has it; tagged v1, v2, ... */
async function makeHistory(texts: readonly string[]): Promise<{ root: string }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  for (const [i, text] of texts.entries()) {
    writeFiles(root, { 'data/x.txt': text, 'data/same.bin': noise('same', 100_000), 'other.txt': `o${i}` })
    await varve(['add', 'data', 'other.txt'], { cwd: root })
    commitAll(root, text)
    git(root, 'tag', `v${i + 1}`)
  }
  return { root }
}

function cloneOf(root: string): string {
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return clone
}

const textAt = (root: string) => readFileSync(join(root, 'data/x.txt'), 'utf8')

test('git checkout and varve checkout bring an old version back, and the new one again', async () => {
  const { root } = await makeHistory(['one', 'two'])
  const newest = treeOf(root)
  git(root, 'checkout', '--quiet', 'v1')
  const { paths } = await varveJson<{ paths: unknown[] }>(['checkout'], { cwd: root })
  expect(paths).toMatchObject([
    { path: 'data', written: 1, removed: 0, kept: [] },
    { path: 'other.txt', written: 1, removed: 0, kept: [] },
  ])
  expect(textAt(root)).toBe('one')
  expect(git(root, 'status', '--porcelain')).toBe('')
  git(root, 'checkout', '--quiet', 'main')
  await varve(['checkout'], { cwd: root })
  expect(treeOf(root)).toEqual(newest)
})

test('checkout REV -- PATH takes pointer, index and data there, and leaves HEAD and other paths', async () => {
  const { root } = await makeHistory(['one', 'two'])
  const head = git(root, 'rev-parse', 'HEAD')
  await varve(['checkout', 'v1', '--', 'data'], { cwd: root })
  expect(textAt(root)).toBe('one')
  expect(git(root, 'rev-parse', 'HEAD')).toBe(head)
  expect(git(root, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main')
  expect(git(root, 'status', '--porcelain')).toBe('M  data.varve')
  expect(git(root, 'rev-parse', ':data.varve')).toBe(git(root, 'rev-parse', 'v1:data.varve'))
  expect(readFileSync(join(root, 'other.txt'), 'utf8')).toBe('o1')
  await varve(['checkout', 'HEAD', '--', 'data'], { cwd: root })
  expect(git(root, 'status', '--porcelain')).toBe('')
  expect(textAt(root)).toBe('two')
  // Without paths it is all of them, and without `--` a revision is told from a path.
  await varve(['checkout', 'v1'], { cwd: root })
  expect(git(root, 'status', '--porcelain')).toBe('M  data.varve\nM  other.txt.varve')
})

test('a part of a path at a revision changes the data, not the pointer', async () => {
  const { root } = await makeHistory(['one', 'two'])
  await varve(['checkout', 'v1', '--', 'data/x.txt'], { cwd: root })
  expect(textAt(root)).toBe('one')
  expect(git(root, 'status', '--porcelain')).toBe('')
  const { paths } = await varveJson<{ paths: unknown[] }>(['status', 'data'], { cwd: root })
  expect(paths).toMatchObject([{ state: 'modified', counts: { modified: 1 } }])
})

test('a push leaves no version of the branch behind, and a clone can fetch any of them', async () => {
  const { root } = await makeHistory(['one', 'two', 'three'])
  const pushed = await varveJson<Pushed>(['push'], { cwd: root })
  expect(pushed.versions).toHaveLength(6)
  const clone = cloneOf(root)
  await varve(['fetch', '--rev', 'HEAD~2', 'data'], { cwd: clone })
  const offline = await varveJson<Requests>(['fetch', '--rev', 'v1', 'data'], { cwd: clone })
  expect(Object.values(offline.requests).every((count) => count === 0)).toBe(true)
  expect(await varve(['cat', 'v1:data/x.txt'], { cwd: clone })).toBe('one')
  await varve(['fetch', '--all'], { cwd: clone })
  await varve(['remote', 'set', 'origin', 'url', '/nowhere'], { cwd: clone })
  await varve(['checkout', 'v2'], { cwd: clone })
  expect(textAt(clone)).toBe('two')
})

test('what is staged or only in the working tree is pushed too', async () => {
  const { root } = await makeHistory(['one'])
  writeFiles(root, { 'data/x.txt': 'staged' })
  await varve(['add', 'data'], { cwd: root })
  writeFiles(root, { 'data/x.txt': 'not staged' })
  await varve(['add', '--no-stage', 'data'], { cwd: root })
  const { versions } = await varveJson<Pushed>(['push'], { cwd: root })
  expect(versions.filter(({ path }) => path === 'data')).toHaveLength(3)
})

test('--rev pushes one revision or a range, --all every branch', async () => {
  const { root } = await makeHistory(['one'])
  git(root, 'checkout', '--quiet', '-b', 'topic')
  for (const text of ['topic one', 'topic two']) {
    writeFiles(root, { 'data/x.txt': text })
    await varve(['add', 'data'], { cwd: root })
    commitAll(root, text)
  }
  git(root, 'checkout', '--quiet', 'main')
  await varve(['checkout'], { cwd: root })
  const pathsOf = async (...args: string[]) => {
    const { versions } = await varveJson<Pushed>(['push', ...args], { cwd: root })
    return versions.map(({ path }) => path).sort()
  }
  expect(await pathsOf('--rev', 'topic~1', 'data')).toEqual(['data'])
  // The range has two versions, of which the first is there by now.
  expect(await pathsOf('--rev', 'main..topic')).toEqual(['data'])
  expect(await pathsOf('--rev', 'main..topic')).toEqual([])
  expect(await pathsOf('--all')).toEqual(['data', 'other.txt'])
  expect(await pathsOf('--all')).toEqual([])
  const clone = cloneOf(root)
  await varve(['fetch', '--rev', 'main..origin/topic'], { cwd: clone })
  expect(await varve(['cat', 'origin/topic~1:data/x.txt'], { cwd: clone })).toBe('topic one')
})

test('a second remote has a state of its own, and can be pulled from', async () => {
  const { root } = await makeHistory(['one', 'two'])
  const backup = join(makeFolder(), 'backup')
  await varve(['remote', 'add', 'backup', backup], { cwd: root })
  commitAll(root, 'backup')
  await varve(['push'], { cwd: root })
  const { versions } = await varveJson<Pushed>(['push', '-r', 'backup'], { cwd: root })
  expect(versions).toHaveLength(4)
  const clone = cloneOf(root)
  await varve(['remote', 'set', 'origin', 'url', '/nowhere', '--local'], { cwd: clone })
  await varve(['pull', '-r', 'backup'], { cwd: clone })
  expect(textAt(clone)).toBe('two')
})

test('after an amended commit, only what that changed is pushed', async () => {
  const { root } = await makeHistory(['one', 'two'])
  await varve(['push'], { cwd: root })
  writeFiles(root, { 'data/x.txt': 'amended' })
  await varve(['add', 'data'], { cwd: root })
  git(root, 'commit', '--quiet', '--amend', '--all', '--message', 'amended')
  const { versions, bytes } = await varveJson<Pushed>(['push'], { cwd: root })
  expect(versions.map(({ path }) => path)).toEqual(['data'])
  expect(bytes).toBeLessThan(10_000)
  const again = await varveJson<Pushed & Requests>(['push'], { cwd: root })
  expect(again.versions).toEqual([])
  const clone = cloneOf(root)
  await varve(['pull'], { cwd: clone })
  expect(textAt(clone)).toBe('amended')
})

test('old versions that are neither here nor there do not stop a push, and are told', async () => {
  const { root } = await makeHistory(['one'])
  await varve(['push'], { cwd: root })
  // Nothing in common with the first version: its pack is not fetched with the second.
  writeFiles(root, { 'data/x.txt': 'two', 'data/same.bin': 'two', 'other.txt': 'two' })
  await varve(['add', 'data', 'other.txt'], { cwd: root })
  commitAll(root, 'two')
  await varve(['push'], { cwd: root })
  const clone = cloneOf(root)
  const backup = join(makeFolder(), 'backup')
  await varve(['remote', 'add', 'backup', backup], { cwd: clone })
  await varve(['pull'], { cwd: clone })
  const first = await varveJson<Pushed & { unavailable: unknown[] }>(['push', '-r', 'backup'], { cwd: clone })
  expect(first.unavailable).toHaveLength(2)
  expect(first.versions).toHaveLength(2)
  // Once they are here, the next push sends them: it did not take the history for done.
  await varve(['fetch', '--all'], { cwd: clone })
  const second = await varveJson<Pushed & { unavailable: unknown[] }>(['push', '-r', 'backup'], {
    cwd: clone,
  })
  expect(second.versions).toHaveLength(2)
  expect(second.unavailable).toEqual([])
})

test('a push from a shallow clone does not stand for the history that it does not see', async () => {
  const { root } = await makeHistory(['one', 'two', 'three'])
  const shallow = join(makeFolder(), 'shallow')
  git(root, 'clone', '--quiet', '--depth', '1', `file://${root}`, shallow)
  writeFiles(shallow, { 'data/x.txt': 'three', 'data/same.bin': noise('same', 100_000), 'other.txt': 'o2' })
  await varve(['add', 'data', 'other.txt'], { cwd: shallow })
  expect((await varveJson<Pushed>(['push'], { cwd: shallow })).versions).toHaveLength(2)
  // The two older versions of each path are still to be sent, and are.
  expect((await varveJson<Pushed>(['push'], { cwd: root })).versions).toHaveLength(4)
})
