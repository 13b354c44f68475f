import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { contentIdFromDigest } from '../../core/content-id.ts'
import { encodeTree, type TreeEntry } from '../../core/format/tree.ts'
import { Store } from '../../core/store/store.ts'
import { StoreWriter } from '../../core/store/store-writer.ts'
import { commitAll, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal, type Refusal } from '../support/refusal.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'

const ID = `b3:${'ab'.repeat(32)}`

/** A project with a good pointer, and `bad.varve` with this text, both committed; nothing of `bad` is here. */
async function makeProject(text: string | Uint8Array): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  writeFiles(root, { 'good/x': '1' })
  await varve(['add', 'good'], { cwd: root })
  commitAll(root, 'good')
  await varve(['push'], { cwd: root })
  commitAll(root, 'bad', { 'bad.varve': text, '.gitignore': '/good\n/bad\n' })
  return root
}

const malformed: [string, string | Uint8Array, Refusal['code'], RegExp][] = [
  ['empty', '', 'MALFORMED', /./],
  ['garbage', 'garbage\n', 'MALFORMED', /line 1/],
  ['an unknown kind', `varve: 1\nkind: device\nid: ${ID}\nsize: 1\n`, 'MALFORMED', /"kind"/],
  [
    'a size past all bounds',
    `varve: 1\nkind: file\nid: ${ID}\nsize: 99999999999999999\n`,
    'MALFORMED',
    /"size"/,
  ],
  ['not UTF-8', Buffer.from(`varve: 1\nkind: \xff\n`, 'latin1'), 'MALFORMED', /not UTF-8/],
  ['of a newer version', `varve: 2\nkind: dir\nhash: x\n`, 'TOO_NEW', /version 2/],
  [
    'a link with a NUL',
    `varve: 1\nkind: link\ntarget: "a\\u0000b"\nsize: 0\n`,
    'HOSTILE',
    /control character/,
  ],
  ['larger than any pointer', `varve: 1\n${'#'.repeat(2 << 20)}\n`, 'HOSTILE', /./],
]

describe('a pointer that is no good', () => {
  it('is refused, told by status, and in the way of itself alone', async () => {
    const cwd = await makeProject('')
    for (const [what, text, code, message] of malformed) {
      writeFiles(cwd, { 'bad.varve': text })
      const refusal = { code, message, hint: /./ }
      await expectRefusal(['checkout', 'bad'], { cwd }, refusal)
      const { paths } = await varveJson<{ paths: unknown[] }>(['status'], { cwd })
      expect(paths, what).toMatchObject([
        { path: 'bad', state: 'bad-pointer', error: { code } },
        { path: 'good', state: 'unchanged' },
      ])
    }
    await varve(['checkout', 'good'], { cwd })
    for (const command of ['checkout', 'pull', 'push', 'fetch', 'diff']) {
      await expectRefusal([command], { cwd }, { code: 'HOSTILE', message: /^bad\.varve/, hint: /./ })
    }
  })

  it('gets a version by adding, unless a newer Varve wrote it or it is hostile', async () => {
    const cwd = await makeProject('')
    writeFiles(cwd, { bad: 'data' })
    for (const [, text, code, message] of malformed) {
      writeFiles(cwd, { 'bad.varve': text })
      if (code === 'MALFORMED') await varve(['add', 'bad'], { cwd })
      else await expectRefusal(['add', 'bad'], { cwd }, { code, message, hint: /./ })
    }
  })

  it('a symbolic link in place of a pointer is not followed', async () => {
    const cwd = await makeProject('')
    const outside = makeFolder()
    writeFiles(outside, { 'real.varve': `varve: 1\nkind: file\nid: ${ID}\nsize: 1\n` })
    rmSync(join(cwd, 'bad.varve'))
    symlinkSync(join(outside, 'real.varve'), join(cwd, 'bad.varve'))
    commitAll(cwd, 'link')
    const before = treeOf(outside)
    const { paths } = await varveJson<{ paths: { path: string }[] }>(['status'], { cwd })
    expect(paths.filter(({ path }) => path === 'bad').length).toBeLessThanOrEqual(1)
    await varve(['checkout', 'good'], { cwd })
    writeFiles(cwd, { bad: 'data' })
    const refusal = {
      code: 'HOSTILE' as const,
      message: 'bad.varve is not a regular file',
      hint: /Remove it/,
    }
    await expectRefusal(['add', 'bad'], { cwd }, refusal)
    expect(treeOf(outside)).toEqual(before)
  })

  it('in an old commit does not stop a push', async () => {
    const cwd = await makeProject('garbage\n')
    rmSync(join(cwd, 'bad.varve'))
    writeFiles(cwd, { 'good/x': '2' })
    await varve(['add', 'good'], { cwd })
    commitAll(cwd, 'mended')
    const { versions } = await varveJson<{ versions: unknown[] }>(['push'], { cwd })
    expect(versions).toHaveLength(1)
    await expectRefusal(
      ['checkout', 'HEAD~1', '--', 'bad'],
      { cwd },
      {
        code: 'MALFORMED',
        message: /^HEAD~1:bad\.varve, line 1/,
        hint: /./,
      },
    )
  })
})

/** Puts listings into the store, each made of the entry of the one before, and a pointer to the last. */
async function plant(
  root: string,
  makers: readonly ((below: TreeEntry | undefined) => Buffer)[],
): Promise<void> {
  const store = Store.open(join(root, '.git/varve'))
  const writer = new StoreWriter(store)
  let entry: TreeEntry | undefined
  for (const make of makers) {
    entry = { kind: 'dir', name: 'd', sizeBytes: 0, digest: writer.addMetadataBlob(make(entry)) }
  }
  writer.finish()
  store.close()
  const id = contentIdFromDigest((entry as Extract<TreeEntry, { digest: unknown }>).digest)
  commitAll(root, 'planted', { 'bad.varve': `varve: 1\nkind: dir\nid: ${id}\nsize: 0\nfiles: 0\n` })
}

/** A listing of one link of this name, written byte for byte as an honest one is. */
function linkNamed(name: string): Buffer {
  const placeholder = 'x'.repeat(Buffer.byteLength(name))
  const honest = encodeTree([{ kind: 'link', name: placeholder, target: 'target' }])
  const at = honest.indexOf(placeholder)
  Buffer.from(name).copy(honest, at)
  return honest
}

describe('a listing that is hostile', () => {
  const names = ['..', 'a/b', '/etc/x', '.GIT', '.g\u200dit', 'a\0b']
  it('is refused for each of its names before anything is written', async () => {
    const cwd = await makeProject('')
    for (const name of names) {
      await plant(cwd, [() => linkNamed(name)])
      await expectRefusal(
        ['checkout', 'bad'],
        { cwd, root: join(cwd, '..') },
        {
          code: 'HOSTILE',
          message: /the name "/,
          hint: /Do not trust/,
        },
      )
    }
  })

  it('deep inside is refused before anything is written', async () => {
    const cwd = await makeProject('')
    await plant(cwd, [
      () => linkNamed('..'),
      (below) => encodeTree([below!, { kind: 'link', name: 'a', target: 'b' }]),
      (below) => encodeTree([below!]),
    ])
    await expectRefusal(
      ['checkout', 'bad'],
      { cwd },
      { code: 'HOSTILE', message: /the name "/, hint: /trust/ },
    )
  })

  it('with a link and a directory of one name cannot be written through', async () => {
    const cwd = await makeProject('')
    await plant(cwd, [
      () => encodeTree([{ kind: 'link', name: 'inner', target: 'x' }]),
      (below) => {
        const honest = encodeTree([
          { ...below!, name: 'b' },
          { kind: 'link', name: 'c', target: '/tmp' },
        ])
        honest[honest.lastIndexOf('c')] = 'b'.charCodeAt(0)
        return honest
      },
    ])
    await expectRefusal(['checkout', 'bad'], { cwd }, { code: 'MALFORMED', message: /tree b3:/, hint: /./ })
  })

  it('that goes deeper than any path can is refused, not a crash', async () => {
    const cwd = await makeProject('')
    const levels = Array.from({ length: 20_000 }, () => (below: TreeEntry | undefined) => {
      return encodeTree(below === undefined ? [] : [below])
    })
    await plant(cwd, levels)
    await expectRefusal(
      ['checkout', 'bad'],
      { cwd },
      { code: 'HOSTILE', message: /lies more than 1024 directories deep/, hint: /./ },
    )
  })
})
