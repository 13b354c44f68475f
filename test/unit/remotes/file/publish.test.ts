import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Remote } from '../../../../core/remote.ts'
import { createFileRemote } from '../../../../remotes/file.ts'
import { keysOf, readBytes, sourceOf } from '../../../contract/sources.ts'
import { makeTemporaryFolder } from '../../../contract/temporary-folder.ts'

type Calls = Pick<typeof import('node:fs/promises'), 'link' | 'rename' | 'writeFile'>

/** What one test puts in place of the calls that a broken or distant filesystem answers otherwise. */
const { replaced } = vi.hoisted(() => ({ replaced: {} as Partial<Calls> }))

vi.mock('node:fs/promises', async (importOriginal) => {
  const original = await importOriginal<typeof import('node:fs/promises')>()
  const calls: Calls = {
    link: (...args) => (replaced.link ?? original.link)(...args),
    rename: (...args) => (replaced.rename ?? original.rename)(...args),
    writeFile: (...args) => (replaced.writeFile ?? original.writeFile)(...args),
  }
  return { ...original, ...calls }
})

/** The waits for another writer's claim take no time here. */
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }))

let root: string
let remote: Remote
let cleanUp: () => Promise<void>

beforeEach(async () => {
  ;({ folder: root, cleanUp } = await makeTemporaryFolder())
  remote = createFileRemote({ folder: root })
})
afterEach(async () => {
  for (const name of Object.keys(replaced)) delete replaced[name as keyof Calls]
  await cleanUp()
})

const original = await vi.importActual<typeof import('node:fs/promises')>('node:fs/promises')

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: from the test`), { code })
}

function failWith(code: string): () => Promise<never> {
  return async () => {
    throw systemError(code)
  }
}

async function expectNothing(): Promise<void> {
  expect(await keysOf(remote, '')).toEqual([])
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
}

test.each(['ENOSPC', 'EDQUOT'])('%s half-way is NO_SPACE with the key, and nothing is left', async (code) => {
  replaced.writeFile = async (file, data) => {
    for await (const piece of data as AsyncIterable<Uint8Array>) {
      await original.writeFile(file, piece)
      throw systemError(code)
    }
  }
  const writing = remote.write('packs/x', sourceOf('bytes'))
  await expect(writing).rejects.toMatchObject({
    code: 'NO_SPACE',
    message: expect.stringContaining('packs/x'),
  })
  await expectNothing()
})

test('an error of the rename leaves the old value and no file', async () => {
  await remote.write('key', sourceOf('old'))
  replaced.rename = failWith('EIO')
  await expect(remote.write('key', sourceOf('new'))).rejects.toMatchObject({ code: 'IO' })
  expect((await readBytes(remote, 'key')).toString()).toBe('old')
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
})

test.each(['ESTALE', 'ETIMEDOUT'])('%s of a file server may be tried again', async (code) => {
  replaced.rename = failWith(code)
  const writing = remote.write('key', sourceOf('x'))
  await expect(writing).rejects.toMatchObject({ code: 'REMOTE_FAILED', retryable: true })
  await expectNothing()
})

test('a remote that spans filesystems is told so', async () => {
  replaced.rename = failWith('EXDEV')
  const writing = remote.write('key', sourceOf('x'))
  await expect(writing).rejects.toMatchObject({ code: 'REMOTE_FAILED', hint: /one filesystem/ })
})

test('a rename that NFS did and then denied has succeeded', async () => {
  replaced.rename = async (from, to) => {
    await original.rename(from, to)
    throw systemError('ENOENT')
  }
  await remote.write('key', sourceOf('value'))
  expect((await readBytes(remote, 'key')).toString()).toBe('value')
})

test('a link that NFS made and then denied has succeeded', async () => {
  replaced.link = async (from, to) => {
    await original.link(from, to)
    throw systemError('EEXIST')
  }
  await remote.write('key', sourceOf('value'), { ifAbsent: true })
  expect((await readBytes(remote, 'key')).toString()).toBe('value')
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
})

test('a value that appears between the look and the link is kept', async () => {
  replaced.link = async (from, to) => {
    await writeFile(to, 'the other one')
    await original.link(from, to)
  }
  const writing = remote.write('key', sourceOf('mine'), { ifAbsent: true })
  await expect(writing).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  expect((await readBytes(remote, 'key')).toString()).toBe('the other one')
})

test.each(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])(
  'without hard links (%s) a claim keeps others out, and is gone after',
  async (code) => {
    const seen: string[][] = []
    replaced.link = failWith(code)
    replaced.rename = async (from, to) => {
      seen.push(await readdir(join(root, '.varve-tmp')))
      await original.rename(from, to)
    }
    await remote.write('key', sourceOf('value'), { ifAbsent: true })
    expect(seen).toEqual([expect.arrayContaining([expect.stringMatching(/^claim-[0-9a-f]{32}$/)])])
    expect((await readBytes(remote, 'key')).toString()).toBe('value')
    expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
  },
)

test('a claim that a killed writer left stops others, and they say which file it is', async () => {
  let claim = ''
  replaced.link = failWith('EPERM')
  replaced.rename = async () => {
    claim = (await readdir(join(root, '.varve-tmp'))).find((name) => name.startsWith('claim-')) ?? ''
    throw systemError('EIO')
  }
  await expect(remote.write('key', sourceOf('x'), { ifAbsent: true })).rejects.toMatchObject({ code: 'IO' })
  await expectNothing()

  await writeFile(join(root, '.varve-tmp', claim), '')
  await expect(remote.write('key', sourceOf('x'), { ifAbsent: true })).rejects.toMatchObject({
    code: 'REMOTE_FAILED',
    message: expect.stringContaining(claim),
    retryable: true,
  })
  expect(await keysOf(remote, '')).toEqual([])
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([claim])
})
