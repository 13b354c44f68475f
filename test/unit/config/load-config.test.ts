import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findRemote } from '../../../core/config/find-remote.ts'
import { flattenConfig } from '../../../core/config/flatten-config.ts'
import { getConfigValue } from '../../../core/config/get-config-value.ts'
import { loadConfig } from '../../../core/config/load-config.ts'
import { makeFolder, writeFiles } from '../../support/git-fixture.ts'

const ID = '0123456789abcdef0123456789abcdef'
const HEAD = `version: 1\nrepository: ${ID}\n`

function pathsWith(files: { committed?: string; local?: string }) {
  const folder = makeFolder()
  if (files.committed !== undefined) writeFiles(folder, { 'varve.yaml': files.committed })
  if (files.local !== undefined) writeFiles(folder, { 'local/config.yaml': files.local })
  return { committed: join(folder, 'varve.yaml'), local: join(folder, 'local/config.yaml') }
}

const load = (committed: string, local?: string) => {
  return loadConfig(pathsWith(local === undefined ? { committed } : { committed, local }))
}

test('merges the two files key by key, and knows where each value came from', async () => {
  const config = await load(
    `${HEAD}# where the data goes\nremotes:\n  origin:\n    url: s3://bucket/a\n  backup: {url: file:///backup}\ndefault: origin\n`,
    'store: /big/disk\nremotes:\n  origin:\n    url: file:///near\n  mine:\n    url: ../mine\ndefault: mine\n',
  )
  expect(flattenConfig(config)).toEqual([
    { key: 'repository', value: ID, source: 'committed' },
    { key: 'store', value: '/big/disk', source: 'local' },
    { key: 'default', value: 'mine', source: 'local' },
    { key: 'remotes.origin.url', value: 'file:///near', source: 'local' },
    { key: 'remotes.backup.url', value: 'file:///backup', source: 'committed' },
    { key: 'remotes.mine.url', value: '../mine', source: 'local' },
  ])
  expect(getConfigValue(config, 'remotes.backup.url')).toEqual({
    value: 'file:///backup',
    source: 'committed',
  })
  expect(getConfigValue(config, 'remotes.none.url')).toBeUndefined()
  expect(() => getConfigValue(config, 'defualt')).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIG', hint: 'Did you mean `default`?' }),
  )
})

test('every setting of a remote is text, and a switch is true or false', async () => {
  const settings = {
    url: 's3://bucket/photos',
    endpointUrl: 'https://minio.example:9000',
    region: 'eu-central-1',
    forcePathStyle: 'true',
    profile: 'work',
    storageClass: 'STANDARD_IA',
    serverSideEncryption: 'aws:kms',
    kmsKeyId: 'arn:aws:kms:eu-central-1:1:key/2',
    acl: 'private',
    requestPayer: 'requester',
  }
  const lines = Object.entries(settings).map(([key, value]) => `    ${key}: ${value}\n`)
  const loaded = async (text: string) =>
    Object.fromEntries(
      [...findRemote(await load(text)).settings].map(([key, setting]) => [key, setting.value]),
    )
  expect(await loaded(`${HEAD}remotes:\n  a:\n${lines.join('')}`)).toEqual(settings)
  const quoted = `${HEAD}remotes:\n  a: {url: x, forcePathStyle: "false"}\n`
  expect(await loaded(quoted)).toEqual({ url: 'x', forcePathStyle: 'false' })
})

test('the least that a config can be', async () => {
  expect(await load(`\ufeff${HEAD}`.replaceAll('\n', '\r\n'), '# nothing yet\n')).toEqual({
    repositoryId: ID,
    store: undefined,
    remotes: new Map(),
    defaultRemote: undefined,
  })
})

test.each([
  '12345678901234567890123456789012',
  '1234567890123456789012345678e012',
  '00000000000000000000000000000001',
])('an id that YAML takes for a number is an id: %s', async (id) => {
  expect((await load(`version: 1\nrepository: ${id}\n`)).repositoryId).toBe(id)
})

test('without varve.yaml, or without an id in it, the project is not initialised', async () => {
  await expect(loadConfig(pathsWith({}))).rejects.toMatchObject({
    code: 'NOT_INITIALISED',
    hint: 'Run `varve init`.',
  })
  await expect(load('version: 1\n')).rejects.toMatchObject({ code: 'NOT_INITIALISED' })
})

const MANY = Array.from({ length: 20_000 }, () => '[').join('')

test.each([
  ['an unknown key', `${HEAD}remote:\n  a: {url: x}\n`, 'BAD_CONFIG', /varve\.yaml:3: unknown key "remote"/],
  [
    'an unknown setting',
    `${HEAD}remotes:\n  a:\n    ulr: x\n`,
    'BAD_CONFIG',
    /varve\.yaml:5: unknown key "ulr"/,
  ],
  ['a local key in it', `${HEAD}store: /x\n`, 'BAD_CONFIG', /:3: unknown key "store"/],
  ['no version', `repository: ${ID}\n`, 'BAD_CONFIG', /:1: .*version: 1/],
  ['an empty file', '', 'BAD_CONFIG', /version: 1/],
  ['a version that is text', `version: "1"\nrepository: ${ID}\n`, 'BAD_CONFIG', /version: 1/],
  ['a later version', `x: y\nversion: 2\n`, 'TOO_NEW', /:2: version 2/],
  ['a bad id', `version: 1\nrepository: ${ID.toUpperCase()}\n`, 'BAD_CONFIG', /:2: repository/],
  ['a list in place of the file', '- a\n', 'BAD_CONFIG', /:1: the file/],
  ['a list of remotes', `${HEAD}remotes:\n  - a\n`, 'BAD_CONFIG', /:3: remotes/],
  ['a remote that is text', `${HEAD}remotes:\n  a: s3://x\n`, 'BAD_CONFIG', /:4: remotes\.a/],
  ['a value that is a number', `${HEAD}remotes:\n  a:\n    url: 12\n`, 'BAD_CONFIG', /:5: url must be text/],
  [
    'a switch that is neither',
    `${HEAD}remotes:\n  a:\n    forcePathStyle: yes\n`,
    'BAD_CONFIG',
    /:5: forcePathStyle must be true or false/,
  ],
  [
    'a truth in place of text',
    `${HEAD}remotes:\n  a:\n    acl: true\n`,
    'BAD_CONFIG',
    /:5: acl must be text/,
  ],
  ['an alias', `${HEAD}default: &a x\nremotes:\n  b:\n    url: *a\n`, 'BAD_CONFIG', /:6: url must be text/],
  ['a name that leads out', `${HEAD}remotes:\n  ../x: {url: y}\n`, 'BAD_CONFIG', /:4: not a name/],
  [
    'a name that is too long',
    `${HEAD}remotes:\n  ${'n'.repeat(65)}: {url: y}\n`,
    'BAD_CONFIG',
    /:4: not a name/,
  ],
  ['a prototype', `${HEAD}remotes:\n  __proto__: {url: y}\n`, 'BAD_CONFIG', /:4: not a name/],
  ['a bad default', `${HEAD}default: -x\n`, 'BAD_CONFIG', /:3: not a name/],
  ['an empty url', `${HEAD}remotes:\n  a:\n    url: ""\n`, 'BAD_CONFIG', /:5: url is empty/],
  ['a line break in a url', `${HEAD}remotes:\n  a:\n    url: "a\\nb"\n`, 'BAD_CONFIG', /:5: url .*control/],
  ['the same key twice', `${HEAD}version: 1\n`, 'BAD_CONFIG', /:3: /],
  ['two documents', `${HEAD}---\nversion: 1\n`, 'BAD_CONFIG', /documents/],
  ['no YAML', `${HEAD}remotes: {\n`, 'BAD_CONFIG', /varve\.yaml:\d/],
  ['nested without end', `${HEAD}remotes: ${MANY}`, 'BAD_CONFIG', /varve\.yaml/],
  ['far too large', `${HEAD}#${'x'.repeat(300_000)}`, 'BAD_CONFIG', /larger/],
  [
    'a conflict',
    `version: 1\n<<<<<<< HEAD\ndefault: a\n=======\ndefault: b\n>>>>>>> x\n`,
    'CONFLICT',
    /:2: .*conflict/,
  ],
])('%s is refused', async (_, text, code, message) => {
  await expect(load(text)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
})

test('the local file is held to its own keys', async () => {
  await expect(load(HEAD, 'repository: x\n')).rejects.toMatchObject({
    message: expect.stringMatching(/config\.yaml:1/),
  })
  await expect(load(HEAD, 'store: relative/path\n')).rejects.toMatchObject({ code: 'BAD_CONFIG' })
})

test.each([
  'secret',
  'secret_access_key',
  'password',
  'session_token',
  'access-key',
  'AccessKeyId',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'aws_session_token',
  'sasToken',
])('a secret is refused by its key and not repeated: %s', async (key) => {
  const loading = load(`${HEAD}remotes:\n  a:\n    ${key}: hunter2\n`)
  await expect(loading).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringMatching(/:5: .*secret/),
    hint: expect.stringContaining('credentials'),
  })
  await expect(loading).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') })
})

test('a password in a URL is refused and not repeated; a user name alone is none', async () => {
  const loading = load(`${HEAD}remotes:\n  a:\n    url: https://user:hunter2@host/x\n`)
  await expect(loading).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining('password'),
  })
  await expect(loading).rejects.not.toMatchObject({ message: expect.stringContaining('hunter2') })
  for (const url of ['ssh://user@host:22/x', 'https://host:8080/a@b', 'file:///a:b@c', 'C:\\data@x']) {
    expect(
      findRemote(await load(`${HEAD}remotes:\n  a:\n    url: '${url}'\n`)).settings.get('url')?.value,
    ).toBe(url)
  }
})

test('a password in an endpoint, or the id of an access key anywhere, is refused and not repeated', async () => {
  for (const [line, what] of [
    ['endpointUrl: https://user:hunter2@minio.example', 'password'],
    ['profile: AKIAHUNTER2HUNTER222', 'access key'],
    ['region: "x ASIAHUNTER2HUNTER222"', 'access key'],
  ] as const) {
    const loading = load(`${HEAD}remotes:\n  a:\n    ${line}\n`)
    await expect(loading).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(new RegExp(`:5: .*${what}`)),
    })
    await expect(loading).rejects.not.toMatchObject({ message: expect.stringMatching(/hunter2/i) })
  }
})

test('a file that is none, or not UTF-8, is refused', async () => {
  const paths = pathsWith({ local: HEAD })
  symlinkSync(paths.local, paths.committed)
  await expect(loadConfig(paths)).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  const others = pathsWith({})
  mkdirSync(others.committed)
  await expect(loadConfig(others)).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  const folder = makeFolder()
  writeFiles(folder, { 'varve.yaml': Buffer.concat([Buffer.from(HEAD), Buffer.from([0xff])]) })
  const binary = { committed: join(folder, 'varve.yaml'), local: join(folder, 'none') }
  await expect(loadConfig(binary)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining('UTF-8'),
  })
})

test('a remote is found by name, by default, or as the only one', async () => {
  const two = `${HEAD}remotes:\n  origin: {url: a}\n  backup: {url: b}\n`
  expect(findRemote(await load(two), 'backup').name).toBe('backup')
  expect(findRemote(await load(`${two}default: origin\n`)).name).toBe('origin')
  expect(findRemote(await load(`${HEAD}remotes:\n  only: {url: a}\n`)).name).toBe('only')
  const code = (run: () => unknown) => {
    try {
      return run()
    } catch (error) {
      return error
    }
  }
  const config = await load(two)
  expect(code(() => findRemote(config))).toMatchObject({ code: 'USAGE' })
  expect(code(() => findRemote(config, 'orgin'))).toMatchObject({
    code: 'NOT_FOUND',
    hint: 'Did you mean `origin`?',
  })
  const bare = await load(HEAD)
  expect(code(() => findRemote(bare))).toMatchObject({ code: 'NO_REMOTE' })
  const stale = await load(`${two}default: gone\n`)
  expect(code(() => findRemote(stale))).toMatchObject({ code: 'NOT_FOUND' })
})
