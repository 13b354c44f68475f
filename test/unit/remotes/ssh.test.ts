import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createSshRemote } from '../../../remotes/ssh.ts'
import { keysOf, readBytes, someBytes, sourceOf, stallingSource } from '../../contract/sources.ts'
import { requiredServer } from '../../support/required-server.ts'
import { hasSshd, type Sshd, startSshd, useHome } from '../../support/sshd.ts'

const DAY_SECONDS = 24 * 3600

describe.runIf(requiredServer('sshd', hasSshd))('a folder on a server', () => {
  let sshd: Sshd
  let restore: () => void
  beforeAll(async () => {
    sshd = await startSshd()
    restore = useHome(sshd.home)
  })
  afterAll(async () => {
    restore()
    await sshd.stop()
  })

  async function open(folder = sshd.makeFolder()): Promise<{ remote: Remote; folder: string }> {
    return { remote: await createSshRemote(sshd.place(folder)), folder }
  }

  test('a place that is none is refused before anything is reached', async () => {
    await expect(createSshRemote({ ...sshd.place('/x'), host: '-oProxyCommand=x' })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
    })
  })

  test('the label is the URL', async () => {
    const { remote, folder } = await open('/data')
    expect(remote.label).toBe(sshd.place(folder).url)
  })

  describe('that is not there', () => {
    const verbs: [string, (remote: Remote) => Promise<unknown>][] = [
      ['stat', (remote) => remote.stat('a')],
      ['read', (remote) => remote.read('a')],
      ['write', (remote) => remote.write('a', sourceOf('x'))],
      ['write, if absent', (remote) => remote.write('a', sourceOf('x'), { ifAbsent: true })],
      ['list', (remote) => keysOf(remote, '')],
      ['list below', (remote) => keysOf(remote, 'packs/')],
      ['remove', (remote) => remote.remove('a')],
    ]
    test.each(verbs)('is REMOTE_FAILED to %s, and is not made', async (_verb, run) => {
      const folder = join(sshd.makeFolder(), 'absent')
      const { remote } = await open(folder)
      await expect(run(remote)).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: false,
        message: `the folder of the remote is not there on the server: ${folder}`,
      })
      expect(existsSync(folder)).toBe(false)
    })

    test.each(verbs)('any more is REMOTE_FAILED to %s, and is not made again', async (_verb, run) => {
      const { remote, folder } = await open()
      await remote.write('a', sourceOf('x'))
      rmSync(folder, { recursive: true })
      await expect(run(remote)).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        message: `the folder of the remote is not there on the server: ${folder}`,
      })
      expect(existsSync(folder)).toBe(false)
    })

    test('is made by the first write of varve.json, where its parent is', async () => {
      const folder = join(sshd.makeFolder(), 'new')
      const { remote } = await open(folder)
      await remote.write('varve.json', sourceOf('{}'), { ifAbsent: true })
      expect(readFileSync(join(folder, 'varve.json'), 'utf8')).toBe('{}')

      const deep = await open(join(sshd.makeFolder(), 'absent/new'))
      await expect(deep.remote.write('varve.json', sourceOf('{}'))).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        message: expect.stringContaining('is not there'),
      })
    })

    test('is no folder where a file stands', async () => {
      const file = join(sshd.makeFolder(), 'file')
      writeFileSync(file, 'x')
      const { remote } = await open(file)
      const refusal = {
        code: 'REMOTE_FAILED',
        retryable: false,
        message: `what the remote names on the server is no folder: ${file}`,
        hint: expect.any(String),
      }
      for (const [, run] of verbs) await expect(run(remote)).rejects.toMatchObject(refusal)
      await expect(remote.write('varve.json', sourceOf('x'))).rejects.toMatchObject(refusal)
      expect(readFileSync(file, 'utf8')).toBe('x')
    })
  })

  test('a folder below that vanished is not made again', async () => {
    const { remote, folder } = await open()
    await remote.write('packs/a', sourceOf('x'))
    rmSync(join(folder, 'packs'), { recursive: true })
    await expect(remote.write('packs/b', sourceOf('x'))).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining('a folder of the remote vanished while writing packs/b'),
    })
  })

  test('nothing is left beside the values, whether a write is done or fails', async () => {
    const { remote, folder } = await open()
    await remote.write('a', sourceOf('x'))
    await remote.write('a', sourceOf('y'))
    await remote.write('b', sourceOf('x'), { ifAbsent: true })
    await expect(remote.write('b', sourceOf('x'), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    })
    const controller = new AbortController()
    const source = stallingSource({
      claimedBytes: 600_000,
      bytes: someBytes(300_000),
      stalled: () => controller.abort(),
    })
    await expect(remote.write('c', source, { signal: controller.signal })).rejects.toMatchObject({
      code: 'INTERRUPTED',
    })
    expect(readdirSync(join(folder, '.varve-tmp'))).toEqual([])
    expect(readdirSync(folder).sort()).toEqual(['.varve-tmp', 'a', 'b'])
  })

  test('what a killed writer left is swept after a week, and not before', async () => {
    const { remote, folder } = await open()
    mkdirSync(join(folder, '.varve-tmp'))
    const nowSeconds = Date.now() / 1000
    for (const [name, ageSeconds] of [
      ['old', 7 * DAY_SECONDS + 3600],
      ['young', 7 * DAY_SECONDS - 3600],
    ] as const) {
      writeFileSync(join(folder, '.varve-tmp', name), 'x')
      utimesSync(join(folder, '.varve-tmp', name), nowSeconds, nowSeconds - ageSeconds)
    }
    await remote.write('a', sourceOf('x'))
    expect(readdirSync(join(folder, '.varve-tmp'))).toEqual(['young'])
  })

  describe('links', () => {
    test('a root that is one is followed', async () => {
      const folder = sshd.makeFolder()
      const link = join(sshd.makeFolder(), 'link')
      symlinkSync(folder, link)
      const { remote } = await open(link)
      await remote.write('packs/a', sourceOf('x'))
      expect(await keysOf(remote, '')).toEqual(['packs/a'])
      expect(existsSync(join(folder, 'packs/a'))).toBe(true)
    })

    test('a folder that is one is neither written through nor listed', async () => {
      const { remote, folder } = await open()
      const outside = sshd.makeFolder()
      writeFileSync(join(outside, 'a'), 'x')
      symlinkSync(outside, join(folder, 'packs'))
      const refusal = {
        code: 'REMOTE_FAILED',
        message: expect.stringContaining('a symbolic link stands where'),
      }
      await expect(remote.write('packs/b', sourceOf('x'))).rejects.toMatchObject(refusal)
      await expect(keysOf(remote, '')).rejects.toMatchObject(refusal)
      await expect(keysOf(remote, 'packs/')).rejects.toMatchObject(refusal)
      expect(readdirSync(outside)).toEqual(['a'])
    })

    test('a value that is one is listed by what it leads to, and replaced itself', async () => {
      const { remote, folder } = await open()
      const target = join(sshd.makeFolder(), 'target')
      writeFileSync(target, 'four')
      symlinkSync(target, join(folder, 'value'))
      symlinkSync('nowhere', join(folder, 'dangling'))
      expect(await keysOf(remote, '')).toEqual(['value'])
      expect(await remote.stat('value')).toMatchObject({ sizeBytes: 4 })
      await remote.write('value', sourceOf('new'))
      expect(readFileSync(target, 'utf8')).toBe('four')
      expect((await readBytes(remote, 'value')).toString()).toBe('new')
      await expect(remote.write('dangling', sourceOf('x'), { ifAbsent: true })).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
      })
    })
  })

  test('names that no key can have are passed over', async () => {
    const { remote, folder } = await open()
    await remote.write('a', sourceOf('x'))
    for (const name of ['.hidden', 'with space', 'naïve', 'new\nline']) {
      writeFileSync(join(folder, name), 'x')
      mkdirSync(join(folder, `${name}.d`))
      writeFileSync(join(folder, `${name}.d`, 'x'), 'x')
    }
    expect(await keysOf(remote, '')).toEqual(['a'])
  })

  test('a path below the folder that a login begins in', async () => {
    // A login of the test begins in the home folder of the account, which is not the test's.
    const remote = await createSshRemote(sshd.place('~/varve-test-that-is-not-there'))
    await expect(remote.stat('a')).rejects.toMatchObject({
      message: expect.stringContaining('not there on the server: varve-test-that-is-not-there'),
    })
  })

  test('a range that is none is a mistake of the caller', async () => {
    const { remote } = await open()
    await expect(remote.read('a', { range: { start: 3, endExclusive: 2 } })).rejects.toThrow(RangeError)
  })
})

test.runIf(requiredServer('sshd', hasSshd))('a server that may only be read from', async () => {
  const sshd = await startSshd({ subsystem: 'internal-sftp -R' })
  const restore = useHome(sshd.home)
  try {
    const folder = sshd.makeFolder()
    writeFileSync(join(folder, 'a'), 'x')
    const remote = await createSshRemote(sshd.place(folder))
    expect((await readBytes(remote, 'a')).toString()).toBe('x')
    const refusal = { code: 'NO_PERMISSION', message: expect.stringContaining('denies permission') }
    await expect(remote.remove('a')).rejects.toMatchObject(refusal)
    mkdirSync(join(folder, '.varve-tmp'))
    await expect(remote.write('b', sourceOf('x'))).rejects.toMatchObject(refusal)
  } finally {
    restore()
    await sshd.stop()
  }
})
