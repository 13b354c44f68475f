import { chmod, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createFileRemote } from '../../../remotes/file.ts'
import { bytesOf, entriesOf, keysOf, readBytes, sourceOf, stallingSource } from '../../contract/sources.ts'
import { makeTemporaryFolder } from '../../contract/temporary-folder.ts'

let base: string
let root: string
let remote: Remote
let cleanUp: () => Promise<void>

beforeEach(async () => {
  ;({ folder: base, cleanUp } = await makeTemporaryFolder())
  root = join(base, 'remote')
  await mkdir(root)
  remote = createFileRemote({ folder: root })
})
afterEach(() => cleanUp())

const failed = { code: 'REMOTE_FAILED' }

test('a value is a plain file under its key, with nothing beside it', async () => {
  await remote.write('packs/ab/x.pack', sourceOf('bytes'))
  expect(await readFile(join(root, 'packs/ab/x.pack'), 'utf8')).toBe('bytes')
  expect(await readdir(join(root, 'packs/ab'))).toEqual(['x.pack'])
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
  expect(remote.label).toBe(root)
})

describe('a folder that is not there', () => {
  beforeEach(() => rm(root, { recursive: true }))

  test('fails every verb, because a disk that is not mounted looks the same', async () => {
    await expect(remote.stat('packs/x')).rejects.toMatchObject(failed)
    await expect(remote.read('packs/x')).rejects.toMatchObject(failed)
    await expect(remote.remove('packs/x')).rejects.toMatchObject(failed)
    await expect(remote.write('packs/x', sourceOf('x'))).rejects.toMatchObject(failed)
    for (const prefix of ['', 'packs', 'packs/', 'packs/ab/']) {
      await expect(entriesOf(remote, prefix)).rejects.toMatchObject({ ...failed, hint: /Mount it/ })
    }
    expect(await readdir(base)).toEqual([])
  })

  test('is made by the write of varve.json', async () => {
    await remote.write('varve.json', sourceOf('{}'), { ifAbsent: true })
    await remote.write('packs/x', sourceOf('x'))
    expect(await keysOf(remote, '')).toEqual(['packs/x', 'varve.json'])
  })

  test('is made by one of many who write varve.json at once', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () =>
        createFileRemote({ folder: root }).write('varve.json', sourceOf('{}'), { ifAbsent: true }),
      ),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('is not made where its parent is missing too', async () => {
    const deep = createFileRemote({ folder: join(base, 'mount', 'remote') })
    await expect(deep.write('varve.json', sourceOf('{}'))).rejects.toMatchObject(failed)
    expect(await readdir(base)).toEqual([])
  })

  test('is not replaced where a file has its name', async () => {
    await writeFile(root, 'a file')
    await expect(remote.stat('x')).rejects.toMatchObject(failed)
    await expect(entriesOf(remote, '')).rejects.toMatchObject(failed)
    await expect(remote.write('varve.json', sourceOf('{}'))).rejects.toMatchObject(failed)
    expect(await readFile(root, 'utf8')).toBe('a file')
  })
})

describe('a folder that is unmounted under a running command', () => {
  test('gets nothing more, although the empty mount point is still there', async () => {
    await remote.write('packs/ab/x', sourceOf('x'))
    await rename(root, join(base, 'disk'))
    await mkdir(root)
    await expect(remote.write('packs/ab/y', sourceOf('y'))).rejects.toMatchObject(failed)
    await expect(remote.write('packs/ab/y', sourceOf('y'), { ifAbsent: true })).rejects.toMatchObject(failed)
    expect(await readdir(root)).toEqual([])
  })

  test('ends a listing that has begun with an error', async () => {
    for (const key of ['a/x', 'b/x', 'c/x']) await remote.write(key, sourceOf('x'))
    const listing = (async () => {
      for await (const _entry of remote.list('')) {
        await rename(root, join(base, 'disk')).catch(() => undefined)
        await mkdir(root, { recursive: true })
      }
    })()
    await expect(listing).rejects.toMatchObject({ ...failed, retryable: true })
  })
})

describe('symbolic links', () => {
  const outside = () => join(base, 'outside')

  beforeEach(async () => {
    await mkdir(outside())
    await writeFile(join(outside(), 'file'), 'not yours')
  })

  test('at the target is replaced, not written through', async () => {
    await symlink(join(outside(), 'file'), join(root, 'key'))
    await remote.write('key', sourceOf('mine'))
    expect(await readFile(join(outside(), 'file'), 'utf8')).toBe('not yours')
    expect((await readBytes(remote, 'key')).toString()).toBe('mine')
  })

  test('at the target counts as there for a write if absent, also when it leads nowhere', async () => {
    await symlink(join(outside(), 'nowhere'), join(root, 'key'))
    const writing = remote.write('key', sourceOf('mine'), { ifAbsent: true })
    await expect(writing).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await readdir(outside())).toEqual(['file'])
    expect(await keysOf(remote, '')).toEqual([])
  })

  test('at the target is removed itself', async () => {
    await symlink(join(outside(), 'file'), join(root, 'key'))
    await remote.remove('key')
    expect(await readFile(join(outside(), 'file'), 'utf8')).toBe('not yours')
    expect(await remote.stat('key')).toBeUndefined()
  })

  test.each(['packs', 'packs/ab', '.varve-tmp'])(
    'in place of the folder %s stops a write',
    async (folder) => {
      if (folder === 'packs/ab') await mkdir(join(root, 'packs'))
      await symlink(outside(), join(root, folder))
      await expect(remote.write('packs/ab/x', sourceOf('x'))).rejects.toMatchObject(failed)
      expect(await readdir(outside())).toEqual(['file'])
    },
  )

  test('in place of a folder stops a listing, which could not be complete', async () => {
    await symlink(outside(), join(root, 'packs'))
    for (const prefix of ['', 'packs', 'packs/', 'packs/f']) {
      await expect(entriesOf(remote, prefix)).rejects.toMatchObject(failed)
    }
    expect(await entriesOf(remote, 'index/')).toEqual([])
  })

  test('as the root is followed', async () => {
    await symlink(root, join(base, 'alias'))
    await remote.write('packs/x', sourceOf('x'))
    expect(await keysOf(createFileRemote({ folder: join(base, 'alias') }), '')).toEqual(['packs/x'])
  })
})

describe('what killed writers leave', () => {
  const leftover = () => join(root, '.varve-tmp', 'leftover')

  beforeEach(async () => {
    await mkdir(join(root, '.varve-tmp'))
    await writeFile(leftover(), 'half a value')
  })

  test('is never listed', async () => {
    await writeFile(join(root, '.nfs000000000000abcd'), 'a name that NFS makes')
    expect(await entriesOf(remote, '')).toEqual([])
  })

  test('is kept while its writer may be alive', async () => {
    await remote.write('key', sourceOf('x'))
    expect(await readFile(leftover(), 'utf8')).toBe('half a value')
  })

  test('is removed by a later writer after a week', async () => {
    const eightDaysAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000)
    await utimes(leftover(), eightDaysAgo, eightDaysAgo)
    await remote.write('key', sourceOf('x'))
    expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
  })

  test('can be removed by hand, folder and all', async () => {
    await rm(join(root, '.varve-tmp'), { recursive: true })
    await remote.write('key', sourceOf('x'))
    expect(await keysOf(remote, '')).toEqual(['key'])
  })
})

test('a value that is being written is seen only when it is whole', async () => {
  const controller = new AbortController()
  const seen = new Promise<{ keys: string[]; temporary: string[] }>((resolve) => {
    const stalled = async () => {
      resolve({ keys: await keysOf(remote, ''), temporary: await readdir(join(root, '.varve-tmp')) })
      controller.abort()
    }
    const source = stallingSource({ claimedBytes: 10, bytes: Buffer.from('12345'), stalled })
    remote.write('key', source, { signal: controller.signal }).catch(() => undefined)
  })
  expect(await seen).toEqual({ keys: [], temporary: [expect.stringMatching(/^[0-9a-f]{32}$/)] })
})

test('an aborted and a broken write leave no file at all', async () => {
  const controller = new AbortController()
  const stalling = stallingSource({
    claimedBytes: 10,
    bytes: Buffer.from('12345'),
    stalled: () => controller.abort(),
  })
  await expect(remote.write('key', stalling, { signal: controller.signal })).rejects.toThrow('interrupted')
  const tooLong = { ...sourceOf('12345'), sizeBytes: 4 }
  await expect(remote.write('key', tooLong)).rejects.toThrow('was to be 4 bytes')
  expect(await readdir(root)).toEqual(['.varve-tmp'])
  expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
})

test('a reader keeps the value that it opened while it is overwritten and removed', async () => {
  await remote.write('key', sourceOf('old value'))
  const opened = await remote.read('key')
  await remote.write('key', sourceOf('new'))
  await remote.remove('key')
  expect((await bytesOf(opened)).toString()).toBe('old value')
})

test('names that no key can have are passed over', async () => {
  for (const name of ['.DS_Store', 'lost+found', 'with space', 'naïve', '@eaDir']) {
    await mkdir(join(root, name))
    await writeFile(join(root, name, 'file'), 'x')
  }
  await remote.write('key', sourceOf('x'))
  expect(await keysOf(remote, '')).toEqual(['key'])
})

test('a folder under a key is no value, and is not replaced by one', async () => {
  await remote.write('packs/x', sourceOf('x'))
  await expect(remote.write('packs', sourceOf('y'))).rejects.toMatchObject({ code: 'IO' })
  await expect(remote.write('packs/x/y', sourceOf('y'))).rejects.toMatchObject(failed)
  expect(await keysOf(remote, '')).toEqual(['packs/x'])
})

// Permissions do not hold for root, and Windows has others.
test.skipIf(process.getuid?.() === 0 || process.platform === 'win32')(
  'a folder that may not be read or written is NO_PERMISSION, with the key',
  async () => {
    await remote.write('packs/x', sourceOf('x'))
    await chmod(join(root, 'packs'), 0o000)
    try {
      const denied = { code: 'NO_PERMISSION', message: expect.stringContaining('packs/x') }
      await expect(remote.stat('packs/x')).rejects.toMatchObject(denied)
      await expect(remote.read('packs/x')).rejects.toMatchObject(denied)
      await expect(remote.remove('packs/x')).rejects.toMatchObject(denied)
      await expect(remote.write('packs/x', sourceOf('y'))).rejects.toMatchObject(denied)
      await expect(entriesOf(remote, '')).rejects.toMatchObject({ code: 'NO_PERMISSION' })
      await expect(entriesOf(remote, 'packs/')).rejects.toMatchObject({ code: 'NO_PERMISSION' })
    } finally {
      await chmod(join(root, 'packs'), 0o755)
    }
    expect((await readBytes(remote, 'packs/x')).toString()).toBe('x')
    expect(await readdir(join(root, '.varve-tmp'))).toEqual([])
  },
)
