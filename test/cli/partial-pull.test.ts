import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'
import { noise } from '../support/versioned-repository.ts'

type Pulled = { requests: { bytesRead: number }; fetched: { bytes: number } }
type Status = { paths: { state: string; leftOutFiles: number; counts: Record<string, number> }[] }

const BIG_BYTES = 400_000

/** `data` has 2 MB in it; a clone of it with an empty store. */
async function makeClone(name = 'data'): Promise<{ root: string; clone: string }> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, {
    [`${name}/images/train/a/1.png`]: noise('1', 20_000),
    [`${name}/images/train/b/2.png`]: noise('2', 20_000),
    [`${name}/images/train/b/notes.txt`]: 'notes\n',
    [`${name}/images/val/3.png`]: noise('3', 20_000),
    [`${name}/sub/x.bin`]: noise('x', 30_000),
    [`${name}/sub/y.txt`]: 'y\n',
    ...Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`${name}/big/${i}`, noise(`big ${i}`, BIG_BYTES)])),
  })
  await varve(['add', '--', name], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  commitAll(root, 'first')
  await varve(['push'], { cwd: root })
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { root, clone }
}

const filesOf = (folder: string) =>
  Object.entries(treeOf(folder)).flatMap(([path, what]) => (what === 'directory' ? [] : [path]))

test('only the part that was asked for moves; add keeps the rest in the version', async () => {
  const { root, clone } = await makeClone()
  const { requests } = await varveJson<Pulled>(['pull', 'data/sub'], { cwd: clone })
  expect(requests.bytesRead).toBeLessThan(60_000)
  expect(filesOf(join(clone, 'data'))).toEqual(['sub/x.bin', 'sub/y.txt'])
  const { paths } = await varveJson<Status>(['status'], { cwd: clone })
  expect(paths).toMatchObject([{ state: 'unchanged', leftOutFiles: 9, counts: { deleted: 0 } }])

  writeFiles(clone, { 'data/sub/y.txt': 'changed\n', 'data/sub/new.txt': 'new\n', 'data/top.txt': 'top\n' })
  rmSync(join(clone, 'data/sub/x.bin'))
  await varve(['add', 'data'], { cwd: clone })
  git(clone, 'commit', '--quiet', '--all', '--message', 'second')
  const listed = await varve(['ls', '--recursive', 'data'], { cwd: clone })
  expect(listed).toContain('images/train/a/1.png')
  expect(listed).not.toContain('x.bin')

  // Checkout leaves out what was left out, and brings back what was wanted.
  rmSync(join(clone, 'data/sub'), { recursive: true })
  await varve(['checkout'], { cwd: clone })
  expect(filesOf(join(clone, 'data'))).toEqual(['sub/new.txt', 'sub/y.txt', 'top.txt'])

  // The part that was never here is leaned on where it lies.
  await varve(['push'], { cwd: clone })
  await varve(['pull', 'data'], { cwd: clone })
  expect(filesOf(join(clone, 'data'))).toHaveLength(12)
  git(root, 'pull', '--quiet', clone, 'main')
  await varve(['pull'], { cwd: root })
  expect(treeOf(join(root, 'data'))).toEqual(treeOf(join(clone, 'data')))
})

test('what is left out is told, with how to bring it', async () => {
  const { clone } = await makeClone()
  const leftOut = (files: number, path = 'data') =>
    `data: ${files} files of 11; the others are left out (\`varve pull ${path}\` brings them)\n`
  expect(await varve(['pull', 'data/sub'], { cwd: clone })).not.toContain('left out')
  expect(await varve(['pull'], { cwd: clone })).toBe(`nothing to fetch\n${leftOut(2)}`)
  expect(await varve(['checkout'], { cwd: join(clone, 'data') })).toBe(leftOut(2, '.'))
  await varve(['pull', 'data/images/train/**/*.png'], { cwd: clone })
  rmSync(join(clone, 'data/images'), { recursive: true })
  writeFiles(clone, { 'data/sub/never added': '' })
  expect(await varve(['checkout'], { cwd: clone })).toMatch(
    /^data: 2 files written\nkept data\/sub\/never added .*\ndata: 4 files of 11; /,
  )
  expect(await varve(['status'], { cwd: clone })).toContain(
    '`varve pull PATH` brings the rest of a directory',
  )
  const { checkedOut } = await varveJson<{ checkedOut: object[] }>(['pull'], { cwd: clone })
  expect(checkedOut).toMatchObject([{ leftOutFiles: 7, files: 11 }])
  await varve(['pull', 'data'], { cwd: clone })
  expect(await varve(['pull'], { cwd: clone })).not.toContain('left out')
  expect(await varve(['status'], { cwd: clone })).not.toContain('the rest')
})

test('patterns, and several parts one after the other', async () => {
  const { clone } = await makeClone()
  await varve(['pull', 'data/images/train/**/*.png'], { cwd: clone })
  expect(filesOf(join(clone, 'data'))).toEqual(['images/train/a/1.png', 'images/train/b/2.png'])
  await varve(['pull', 'data/images/val', 'data/sub/y.txt'], { cwd: clone })
  const wanted = ['images/train/a/1.png', 'images/train/b/2.png', 'images/val/3.png', 'sub/y.txt']
  expect(filesOf(join(clone, 'data'))).toEqual(wanted)
  rmSync(join(clone, 'data'), { recursive: true })
  await varve(['pull'], { cwd: clone })
  expect(filesOf(join(clone, 'data'))).toEqual(wanted)
  // A deleted file of a wanted part is a change; one that was left out is none.
  rmSync(join(clone, 'data/images/train/a/1.png'))
  const { paths } = await varveJson<Status>(['status'], { cwd: clone })
  expect(paths).toMatchObject([{ state: 'modified', counts: { deleted: 1 } }])
})

test('a name that looks like a pattern means itself', async () => {
  const { clone } = await makeClone('{data} (v1) [x]')
  await varve(['pull', '{data} (v1) [x]/sub'], { cwd: clone })
  expect(filesOf(join(clone, '{data} (v1) [x]'))).toEqual(['sub/x.bin', 'sub/y.txt'])
  await varve(['pull', '{data} (v1) [x]/images/**/*.png'], { cwd: clone })
  expect(filesOf(join(clone, '{data} (v1) [x]'))).toHaveLength(5)
  await varve(['pull', '--', '{data} (v1) [x]'], { cwd: clone })
  expect(filesOf(join(clone, '{data} (v1) [x]'))).toHaveLength(11)
})

test('a merge conflict in the pointer of a part does not drop the rest', async () => {
  const { clone } = await makeClone()
  await varve(['pull', 'data/sub'], { cwd: clone })
  writeFiles(clone, { 'data.varve': '<<<<<<< ours\nvarve: 1\n=======\nvarve: 1\n>>>>>>> theirs\n' })
  await varve(['add', 'data'], { cwd: clone })
  const { paths } = await varveJson<Status>(['status'], { cwd: clone })
  expect(paths).toMatchObject([{ state: 'unchanged', leftOutFiles: 9 }])
})

test('fetch alone brings bytes, and no file', async () => {
  const { clone } = await makeClone()
  await varve(['fetch', 'data/sub'], { cwd: clone })
  expect(existsSync(join(clone, 'data'))).toBe(false)
  const { requests } = await varveJson<Pulled>(['pull', 'data/sub'], { cwd: clone })
  expect(requests.bytesRead).toBe(0)
})

test('a part can be pushed, and is not taken for the whole', async () => {
  const { root } = await makeClone()
  writeFiles(root, { 'data/sub/y.txt': 'changed\n', 'data/big/0': noise('other', BIG_BYTES) })
  await varve(['add', 'data'], { cwd: root })
  const pushed = await varveJson<{ bytes: number }>(['push', 'data/sub'], { cwd: root })
  expect(pushed.bytes).toBeLessThan(20_000)
  const status = await varveJson<{ paths: { onRemote: boolean }[] }>(['status'], { cwd: root })
  expect(status.paths).toMatchObject([{ onRemote: false }])
  const rest = await varveJson<{ bytes: number }>(['push'], { cwd: root })
  expect(rest.bytes).toBeGreaterThan(BIG_BYTES)
})
