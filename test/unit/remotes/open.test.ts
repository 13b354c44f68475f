import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import { checkRemoteUrl, openRemote } from '../../../remotes/open.ts'
import { readBytes, sourceOf } from '../../contract/sources.ts'
import { makeTemporaryFolder } from '../../contract/temporary-folder.ts'

const badConfig = { code: 'BAD_CONFIG' }
const isWindows = process.platform === 'win32'

function refusalOf(url: string): VarveError {
  try {
    checkRemoteUrl(url)
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
  throw new Error(`accepted: ${url}`)
}

describe('folders', () => {
  let base: string
  let cleanUp: () => Promise<void>
  beforeEach(async () => {
    ;({ folder: base, cleanUp } = await makeTemporaryFolder())
  })
  afterEach(() => cleanUp())

  test.each(['remote', './remote', '../remote', 'a folder: with/../colon', './~'])(
    'the relative path %s starts at the base folder',
    async (path) => {
      const remote = await openRemote(path, { baseFolder: join(base, 'repository') })
      expect(remote.label).toBe(join(base, 'repository', path))
    },
  )

  test('an absolute path and its file: URL are the same remote', async () => {
    const folder = join(base, 'with space, % and #')
    await mkdir(folder)
    const byPath = await openRemote(folder, { baseFolder: '/elsewhere' })
    await byPath.write('key', sourceOf('value'))
    const byUrl = await openRemote(pathToFileURL(folder).href, { baseFolder: '/elsewhere' })
    expect(byUrl.label).toBe(folder)
    expect((await readBytes(byUrl, 'key')).toString()).toBe('value')
  })

  test('opening makes nothing and looks at nothing', async () => {
    const remote = await openRemote('absent/remote', { baseFolder: base })
    await expect(remote.stat('key')).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
  })

  test.skipIf(isWindows)('a Windows drive is refused by name where there are none', async () => {
    const opening = openRemote('D:\\data', { baseFolder: base })
    await expect(opening).rejects.toMatchObject({ ...badConfig, message: /Windows drive/ })
  })
})

test.each([
  'remote',
  '../remote',
  '/srv/remote',
  './a:b',
  '/srv/a:b@c',
  'C:\\data',
  'c:/data',
  'C:',
  'file:///srv/remote',
  'file:///srv/a:b@c',
  'file://localhost/srv/remote',
  'FILE:///srv/remote',
])('%s is a remote', (url) => {
  if (!isWindows || !url.toLowerCase().startsWith('file:')) expect(checkRemoteUrl(url)).toBeUndefined()
})

test.each([
  ['s3://bucket/prefix', 's3:'],
  ['ssh://host/path', 'ssh:'],
  ['ssh://me@host:22/path', 'ssh:'],
  ['me@host:path', 'ssh:'],
  ['http://host/path', 'http:'],
  ['https://host:8080/a@b', 'https:'],
  ['gopher://host/', 'gopher:'],
  ['folder:name', 'folder:'],
])('%s is refused, and the error says what there is', (url, scheme) => {
  const error = refusalOf(url)
  expect(error).toMatchObject(badConfig)
  expect(error.message).toContain(`"${scheme}"`)
  expect(error.hint).toContain('file:///')
})

test.each([
  '',
  '  ',
  'a\nb',
  'a\0b',
  'file:',
  'file:relative',
  'file://host/share',
  'file:///srv/a?version=1',
  'file:///srv/a#b',
  'file:///srv/%ZZ',
  'file:///srv/a%2Fb',
  'file:///srv/%00',
])('%j is refused', (url) => {
  expect(refusalOf(url)).toMatchObject({ ...badConfig, hint: expect.any(String) })
})

test.each(['~/remote', '~', '~me/remote'])('%s is left to the shell, and the hint says so', (url) => {
  expect(refusalOf(url)).toMatchObject({ ...badConfig, message: /shell/, hint: /whole path/ })
})

test.each([
  's3://AKIAKEY:hunter2@bucket/prefix',
  's3://AKIAKEY:hun/ter2@bucket',
  'https://me:hunter2@host/path',
  'ssh://me:hunter2@host:22/path',
  'file://me:hunter2@localhost/srv',
  'https://:hunter2@host/',
])('a password in %s is refused and not repeated', async (url) => {
  const error = refusalOf(url)
  expect(error).toMatchObject({ ...badConfig, message: /password/, hint: /Take the password out/ })
  expect(`${error.message} ${error.hint}`).not.toMatch(/hunter2|hun\/ter2/)
  await expect(openRemote(url, { baseFolder: '/' })).rejects.toMatchObject(badConfig)
})
