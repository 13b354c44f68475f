import { expect, test } from 'vitest'
import { placeToTrust } from '../../../remotes/place-to-trust.ts'

const placeOf = (url: string, settings: Record<string, string> = {}, platform?: NodeJS.Platform) =>
  placeToTrust({ url, settings: new Map(Object.entries(settings)) }, platform)

test('a folder and Amazon’s own place show credentials to nobody else', () => {
  for (const url of ['/srv/x', '../x', 'file:///srv/x', 's3://bucket', 's3://evil.example/x']) {
    expect(placeOf(url)).toBeUndefined()
  }
  expect(placeOf('s3://bucket', { region: 'eu-central-1', profile: 'work' })).toBeUndefined()
})

test('an endpoint is trusted by its origin, and it is its own setting that names it', () => {
  expect(placeOf('s3://bucket/x', { endpointUrl: 'https://MinIO.example:9000/deep/path' })).toEqual({
    kind: 's3',
    origin: 'https://minio.example:9000',
    setting: 'endpointUrl',
    isReadableWithout: false,
    isExposed: false,
  })
  expect(placeOf('s3://bucket', { endpointUrl: 'https://minio.example:443' })?.origin).toBe(
    'https://minio.example',
  )
  // A host may name itself as it likes.
  expect(placeOf('s3://bucket', { endpointUrl: 'https://x.s3.amazonaws.com' })?.origin).toBe(
    'https://x.s3.amazonaws.com',
  )
})

test.each([
  ['http://minio.example', true],
  ['http://127.0.0.1.example', true],
  ['http://localhost.example:9000', true],
  ['http://10.0.0.1', true],
  ['http://localhost:9000', false],
  ['http://127.0.0.1:9000', false],
  ['http://[::1]:9000', false],
  ['https://minio.example', false],
])('%s is exposed: %s', (endpointUrl, isExposed) => {
  expect(placeOf('s3://bucket', { endpointUrl })?.isExposed).toBe(isExposed)
})

test.each([
  ['ssh://host/x', 'ssh://host'],
  ['ssh://me@host:2222/x', 'ssh://me@host:2222'],
  ['ssh://me@host:22/x', 'ssh://me@host:22'],
  ['sftp://me@host/x', 'ssh://me@host'],
  ['me@host:x', 'ssh://me@host'],
  ['ssh://git@github.com@host/x', 'ssh://git%40github.com@host'],
  ['ssh://me@[fe80::1]:22/x', 'ssh://me@[fe80::1]:22'],
])('%s is at %s', (url, origin) => {
  expect(placeOf(url)).toMatchObject({ kind: 'ssh', origin, setting: 'url', isReadableWithout: false })
})

test('a web server can be read before it is trusted', () => {
  expect(placeOf('https://data.example.org/a/b')).toEqual({
    kind: 'http',
    origin: 'https://data.example.org',
    setting: 'url',
    isReadableWithout: true,
    isExposed: false,
  })
  expect(placeOf('http://data.example.org:8080/a')).toMatchObject({
    origin: 'http://data.example.org:8080',
    isExposed: true,
  })
})

test('on Windows a share is at a server, which Windows logs in to', () => {
  for (const url of [
    '\\\\Server\\share\\x',
    '//server/share/x',
    '\\\\?\\UNC\\server\\share',
    '/\\server\\share',
  ]) {
    expect(placeOf(url, {}, 'win32')).toMatchObject({ kind: 'smb', origin: 'smb://server', setting: 'url' })
    expect(placeOf(url, {}, 'linux')).toBeUndefined()
  }
  for (const [url, origin] of [
    ['\\\\?\\GLOBALROOT\\Device\\Mup\\server\\share', 'smb://globalroot'],
    ['\\\\.\\UNC\\server\\share', 'smb://server'],
    ['\\\\my server\\share', 'smb://my%20server'],
  ] as const) {
    expect(placeOf(url, {}, 'win32')).toMatchObject({ kind: 'smb', origin })
  }
  for (const url of ['C:\\data', '\\data', '../data', 'data\\\\x', '\\\\?\\C:\\data', '\\\\.\\c:\\data']) {
    expect(placeOf(url, {}, 'win32')).toBeUndefined()
  }
})

test.each([
  'ssh://-oProxyCommand=x/y',
  'ssh://-l@host/y',
  '-host@server:x',
  'me@-host:x',
  'https://-host/x',
  'http://-x.example/y',
])('a host or user that begins with a dash is refused: %s', (url) => {
  expect(() => placeOf(url)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
})
