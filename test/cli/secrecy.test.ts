import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileRemote } from '../../remotes/file.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { entriesOn, keysOf, readKey } from '../support/remote-fixture.ts'
import { varve } from '../support/run-varve.ts'
import { noise } from '../support/versioned-repository.ts'

const SECRET = 'the launch code is 0000'

/** Everything that the remote holds, decompressed, and as it lies there. */
async function allBytesOn(folder: string): Promise<Buffer> {
  const remote = createFileRemote({ folder })
  const entries = await entriesOn(remote)
  expect(entries.length).toBeGreaterThan(0)
  const raw = entries.map((entry) => entry.raw)
  const stored = await Promise.all((await keysOf(remote)).map((key) => readKey(remote, key)))
  return Buffer.concat([...raw, ...stored])
}

async function makeProject(): Promise<{ root: string; remote: string }> {
  const root = makeRepository()
  const remote = join(makeFolder(), 'remote')
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  commitAll(root, 'start')
  return { root, remote }
}

test('a push of one branch sends nothing of another', async () => {
  const { root, remote } = await makeProject()
  git(root, 'checkout', '--quiet', '-b', 'secret')
  writeFiles(root, { 'data/secret-name.txt': SECRET, 'data/public.txt': 'public' })
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'secret')
  git(root, 'checkout', '--quiet', 'main')
  writeFiles(root, { 'data/public.txt': 'public' })
  await varve(['-C', root, 'status'], { cwd: root })
  git(root, 'clean', '-qfdx', 'data')
  writeFiles(root, { 'data/public.txt': 'public', 'other.txt': 'other' })
  await varve(['add', 'data', 'other.txt'], { cwd: root })
  commitAll(root, 'public')
  await varve(['push'], { cwd: root })
  const bytes = await allBytesOn(remote)
  expect(bytes.includes('public')).toBe(true)
  expect(bytes.includes(SECRET)).toBe(false)
  expect(bytes.includes('secret-name')).toBe(false)
})

test('secret and public data that one add put into one pack part on their way', async () => {
  const { root, remote } = await makeProject()
  // They share most of their chunks, and the secret has some of its own.
  const shared = noise('shared', 400_000)
  writeFiles(root, {
    'public/big.bin': shared,
    'public/a.txt': 'public',
    'secret/big.bin': Buffer.concat([shared, Buffer.from(SECRET.repeat(3000)), shared]),
    'secret/secret-name.txt': SECRET,
  })
  await varve(['add', 'public', 'secret'], { cwd: root })
  git(root, 'commit', '--quiet', '--message', 'both')
  // By name, although the pointer of the secret is committed beside it.
  await varve(['push', 'public'], { cwd: root })
  const bytes = await allBytesOn(remote)
  expect(bytes.includes(shared.subarray(0, 1000))).toBe(true)
  expect(bytes.includes('launch code')).toBe(false)
  expect(bytes.includes('secret-name')).toBe(false)
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  await varve(['pull', 'public'], { cwd: clone })

  // The test would see it.
  await varve(['push'], { cwd: root })
  const all = await allBytesOn(remote)
  expect([all.includes('launch code'), all.includes('secret-name')]).toEqual([true, true])
})

test('of a file that left a dataset before the push, nothing is sent with the revision that lacks it', async () => {
  const { root, remote } = await makeProject()
  writeFiles(root, { 'data/secret-name.txt': SECRET, 'data/a.txt': 'public' })
  await varve(['add', 'data'], { cwd: root })
  writeFiles(root, { 'data/a.txt': 'public too' })
  git(root, 'reset', '--quiet')
  git(root, 'clean', '-qfx', 'data/secret-name.txt')
  await varve(['add', 'data'], { cwd: root })
  commitAll(root, 'without it')
  await varve(['push'], { cwd: root })
  const bytes = await allBytesOn(remote)
  expect(bytes.includes('public too')).toBe(true)
  expect(bytes.includes('launch code')).toBe(false)
  expect(bytes.includes('secret-name')).toBe(false)
})
