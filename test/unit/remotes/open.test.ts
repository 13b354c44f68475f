import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { localFolderOf, openRemote, type RemoteToOpen } from '../../../remotes/open.ts'
import { readBytes, sourceOf } from '../../contract/sources.ts'
import { makeTemporaryFolder } from '../../contract/temporary-folder.ts'

const badConfig = { code: 'BAD_CONFIG' }
const isWindows = process.platform === 'win32'

function open(url: string, options: Partial<RemoteToOpen> = {}) {
  return openRemote({
    url,
    settings: new Map(),
    baseFolder: '/elsewhere',
    mayAuthenticate: false,
    ...options,
  })
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
      const remote = await open(path, { baseFolder: join(base, 'repository') })
      expect(remote.label).toBe(join(base, 'repository', path))
    },
  )

  test('an absolute path and its file: URL are the same remote', async () => {
    const folder = join(base, 'with space, % and #')
    await mkdir(folder)
    const byPath = await open(folder)
    await byPath.write('key', sourceOf('value'))
    const byUrl = await open(pathToFileURL(folder).href)
    expect(byUrl.label).toBe(folder)
    expect((await readBytes(byUrl, 'key')).toString()).toBe('value')
  })

  test('opening makes nothing and looks at nothing', async () => {
    const remote = await open('absent/remote', { baseFolder: base })
    await expect(remote.stat('key')).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
  })

  test.skipIf(isWindows)('a Windows drive is refused by name where there are none', async () => {
    await expect(open('D:\\data')).rejects.toMatchObject({ ...badConfig, message: /Windows drive/ })
  })
})

describe('a bucket', () => {
  test('is opened with the settings, and labelled by its URL', async () => {
    const settings = new Map([
      ['endpointUrl', 'https://s3.example.org'],
      ['region', 'eu-central-1'],
      ['storageClass', 'STANDARD_IA'],
    ])
    expect((await open('s3://bucket/photos/', { settings })).label).toBe('s3://bucket/photos')
  })

  test.each([
    ['storageClass', 'CHEAP', /storageClass cannot be "CHEAP"/, /STANDARD_IA/],
    ['acl', 'everyone', /acl cannot be/, /public-read/],
    ['serverSideEncryption', 'rot13', /serverSideEncryption cannot be/, /AES256/],
    ['requestPayer', 'me', /requestPayer cannot be/, /requester/],
    ['forcePathStyle', 'yes', /forcePathStyle cannot be/, /true, false/],
    ['kmsKeyId', 'alias/photos', /kmsKeyId is set/, /aws:kms/],
    ['endpointUrl', 's3.example.org', /endpointUrl is not/, /https:\/\/host/],
    ['endpointUrl', 'ftp://s3.example.org', /endpointUrl is not/, /https:\/\/host/],
    ['endpointUrl', 'https://s3.example.org/?x=1', /endpointUrl is not/, /https:\/\/host/],
  ])('with the setting %s = %s is refused', async (name, value, message, hint) => {
    const opening = open('s3://bucket', { settings: new Map([[name, value]]) })
    await expect(opening).rejects.toMatchObject({ ...badConfig, message, hint })
  })

  test('is refused with a password in the endpoint, which is not repeated', async () => {
    const settings = new Map([['endpointUrl', 'https://me:hunter2@s3.example.org']])
    const error: unknown = await open('s3://bucket', { settings }).catch((thrown) => thrown)
    expect(error).toMatchObject({ ...badConfig, hint: /without a user, password/ })
    expect(String(error)).not.toContain('hunter2')
  })
})

test.each(['', 'gopher://host/', 's3://AKIAKEY:hunter2@bucket/x', 'me@-oProxyCommand=id:x'])(
  '%j is refused as parseRemoteUrl does',
  async (url) => {
    await expect(open(url)).rejects.toMatchObject(badConfig)
    expect(() => localFolderOf(url, { baseFolder: '/' })).toThrow(expect.objectContaining(badConfig))
  },
)

describe.skipIf(isWindows)('the folder on this machine', () => {
  test.each([
    ['../photos', '/home/ada/photos'],
    ['/srv/photos', '/srv/photos'],
    ['file:///srv/with%20space', '/srv/with space'],
    ['D:\\photos', undefined],
    ['s3://bucket/x', undefined],
    ['ssh://host/x', undefined],
    ['me@host:x', undefined],
    ['https://host/x', undefined],
  ])('of %s is %s', (url, folder) => {
    expect(localFolderOf(url, { baseFolder: '/home/ada/repo' })).toBe(folder)
  })
})
