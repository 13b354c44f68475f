import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import { isDrivePath, parseRemoteUrl, type RemoteUrl } from '../../../remotes/remote-url.ts'
import { outcomeOf, varveErrorOf } from '../../support/varve-error.ts'

const isWindows = process.platform === 'win32'
const badConfig = { code: 'BAD_CONFIG', hint: expect.any(String) }

test.each([
  ['remote', 'remote'],
  ['../remote', '../remote'],
  ['/srv/remote', '/srv/remote'],
  ['./a:b', './a:b'],
  ['/srv/a:b@c', '/srv/a:b@c'],
  ['./~', './~'],
  ['C:\\data', 'C:\\data'],
  ['c:/data', 'c:/data'],
  ['C:', 'C:'],
  ['\\\\server\\share', '\\\\server\\share'],
])('the path %s is a folder', (url, path) => {
  expect(parseRemoteUrl(url)).toEqual({ kind: 'folder', path })
})

test.skipIf(isWindows).each([
  ['file:///srv/remote', '/srv/remote'],
  ['file:///srv/a:b@c', '/srv/a:b@c'],
  ['file:///srv/with%20space', '/srv/with space'],
  ['file://localhost/srv/remote', '/srv/remote'],
  ['FILE:///srv/remote', '/srv/remote'],
])('%s is the folder %s', (url, path) => {
  expect(parseRemoteUrl(url)).toEqual({ kind: 'folder', path })
})

test.each([
  ['s3://bucket', 's3://bucket', 'bucket', ''],
  ['s3://bucket/', 's3://bucket', 'bucket', ''],
  ['S3://bucket/a', 's3://bucket/a', 'bucket', 'a'],
  ['s3://my.bucket-1/a/b c/', 's3://my.bucket-1/a/b c', 'my.bucket-1', 'a/b c'],
  ['s3://bucket//a//', 's3://bucket/a', 'bucket', 'a'],
  ['s3://Old_Bucket/ü', 's3://Old_Bucket/ü', 'Old_Bucket', 'ü'],
])('%s is a place in a bucket', (url, shown, bucket, prefix) => {
  expect(parseRemoteUrl(url)).toEqual({ kind: 's3', url: shown, bucket, prefix })
})

test.each<[string, Partial<Extract<RemoteUrl, { kind: 'ssh' }>>]>([
  ['ssh://host/srv/photos', { user: undefined, host: 'host', port: undefined, path: '/srv/photos' }],
  ['ssh://me@host:2222/srv', { user: 'me', host: 'host', port: 2222, path: '/srv' }],
  ['sftp://me@host/srv', { user: 'me', host: 'host', path: '/srv' }],
  ['SSH://host/srv', { host: 'host', path: '/srv' }],
  ['ssh://host/~/photos', { path: '~/photos' }],
  ['ssh://host/srv/with%20space', { path: '/srv/with space' }],
  ['ssh://[::1]/srv', { host: '::1', path: '/srv' }],
  ['ssh://me@[fe80::1%25eth0]:22/srv', { user: 'me', host: 'fe80::1%eth0', port: 22, path: '/srv' }],
  ['me@host:photos', { user: 'me', host: 'host', path: '~/photos' }],
  ['me@host:/srv/photos', { user: 'me', host: 'host', path: '/srv/photos' }],
  ['me@host:~/photos', { user: 'me', host: 'host', path: '~/photos' }],
  ['me@[::1]:/srv', { user: 'me', host: '::1', path: '/srv' }],
  ['domain+user@host:/srv', { user: 'domain+user', host: 'host', path: '/srv' }],
])('%s is a folder on a server', (url, expected) => {
  expect(parseRemoteUrl(url)).toMatchObject({ kind: 'ssh', url, ...expected })
})

test.each([
  ['https://host', 'https://host'],
  ['https://host/a/b/', 'https://host/a/b'],
  ['http://host:8080/a@b', 'http://host:8080/a@b'],
  ['HTTPS://HOST/A', 'https://host/A'],
  ['https://[::1]:8443/x', 'https://[::1]:8443/x'],
])('%s is a mirror', (url, shown) => {
  expect(parseRemoteUrl(url)).toEqual({ kind: 'http', url: shown })
})

test.each([
  ['gopher://host/', 'gopher:'],
  ['ftp://host/x', 'ftp:'],
  ['folder:name', 'folder:'],
  ['gs://bucket', 'gs:'],
])('%s is refused, and the error says what there is', (url, scheme) => {
  const error = varveErrorOf(() => parseRemoteUrl(url))
  expect(error).toMatchObject(badConfig)
  expect(error.message).toContain(`"${scheme}"`)
  for (const kind of ['s3://', 'ssh://', 'https://', 'file:///', './NAME']) expect(error.hint).toContain(kind)
})

test.each([
  ['datahost:/srv/lab', 'ssh://datahost/srv/lab'],
  ['data.example.org:photos/of cats', 'ssh://data.example.org/~/photos/of%20cats'],
  ['datahost:~/photos', 'ssh://datahost/~/photos'],
])('%s, as scp takes it, is told as %s', (url, instead) => {
  const { hint } = varveErrorOf(() => parseRemoteUrl(url))
  expect(hint).toContain(` is written ${instead}.`)
  expect(parseRemoteUrl(instead).kind).toBe('ssh')
})

test.each(['gs://bucket', 'ab:hunter2@host', 'ab:x?hunter2'])('%s is no folder on a server', (url) => {
  expect(varveErrorOf(() => parseRemoteUrl(url)).hint).not.toContain('on the server')
})

test.each([
  's3//b/p',
  'ssh//host/x',
  'sftp//host/x',
  'http//host',
  'https//me:hunter2@host/x',
  'FILE//srv/x',
])('%s lacks a colon', (url) => {
  const scheme = url.split('/')[0]!
  const error = varveErrorOf(() => parseRemoteUrl(url))
  expect(error).toMatchObject({
    code: 'BAD_CONFIG',
    message: `the URL of the remote lacks the colon after "${scheme}"`,
    hint: `Did you mean ${scheme}://…? A folder of that name is written ./${scheme}/….`,
  })
  expect(parseRemoteUrl(`./${url}`).kind).toBe('folder')
})

describe('is refused', () => {
  test.each([
    ...[
      '',
      '  ',
      'a\nb',
      'a\0b',
      's3://bucket/a\u0007',
      'https://host/\r\n',
      'me@host:\u001b[2J',
      '/srv/\u009b2J',
    ],
    ...['file:', 'file:relative', 'file://host/share', 'file:///srv/a?version=1', 'file:///srv/a#b'],
    ...['file:///srv/%ZZ', 'file:///srv/a%2Fb', 'file:///srv/%00'],
    ...['s3:', 's3:bucket', 's3:/bucket', 's3://', 's3:///a', 's3://-bucket', 's3://a', 's3://bucket:9000/x'],
    ...['s3://user@bucket/x', 's3://bucket/../x', 's3://bucket/a/./b', 's3://bucket/a//b', 's3://bucket/a?b'],
    ...['s3://bucket/a#b', 's3://bucket/a\\b', `s3://${'a'.repeat(300)}`],
    ...[
      'ssh:',
      'ssh://',
      'ssh:///srv',
      'ssh://host',
      'ssh://host/',
      'ssh://host/~/',
      'me@host:',
      'me@host:~/',
      'me@host:~other/x',
      'ssh://domain\\me@host/x',
    ],
    ...['ssh://host:0/x', 'ssh://host:65536/x', 'ssh://host:/x', 'ssh://host:22x/x', 'ssh://ho st/x'],
    ...[
      'ssh://me@/x',
      'ssh://@host/x',
      'ssh://host/a?b',
      'ssh://host/a#b',
      'ssh://host/%ZZ',
      'ssh://host/%0A',
    ],
    ...['ssh://[::1/x', 'ssh://[host]/x', 'ssh://a$(id)/x', 'ssh://a;id/x', 'ssh://a`id`/x'],
    ...[
      'http:',
      'https:host',
      'https:///x',
      'https://',
      'https://user@host/',
      'https://host/?a',
      'https://host/#a',
    ],
    ...['https://host:99999/', 'https://ho st/'],
  ])('%j', (url) => {
    expect(varveErrorOf(() => parseRemoteUrl(url))).toMatchObject(badConfig)
  })

  test.each([
    'ssh://-oProxyCommand=id/x',
    'ssh://-oProxyCommand=id:22/x',
    'ssh://me@-oProxyCommand=id/x',
    'ssh://-oProxyCommand=id@host/x',
    '-oProxyCommand=id@host:x',
    'me@-oProxyCommand=id:x',
    'ssh://[-oProxyCommand=id]/x',
    'ssh://%2DoProxyCommand=id/x',
    'https://-host/x',
    's3://-bucket/x',
  ])('%s, which a program could take for an option', (url) => {
    expect(varveErrorOf(() => parseRemoteUrl(url))).toMatchObject(badConfig)
  })

  test.each(['~/remote', '~', '~me/remote'])('%s, and left to the shell', (url) => {
    const error = varveErrorOf(() => parseRemoteUrl(url))
    expect(error).toMatchObject({ ...badConfig, message: /shell/, hint: /whole path/ })
  })
})

test.each([
  's3://AKIAKEY:hunter2@bucket/prefix',
  's3://AKIAKEY:hun/hunter2@bucket',
  's3:AKIAKEY:hunter2@bucket',
  's3:/AKIAKEY:hunter2@bucket',
  'https://me:hunter2@host/path',
  'https://:hunter2@host/',
  'https:me:hunter2@host/path',
  'https:\\\\me:hunter2@host/path',
  'https://me:1234hunter2@host/',
  'HTTPS://me:hunter2@host/',
  'ssh://me:hunter2@host:22/path',
  'sftp://me:hunter2@[::1]/path',
  'file://me:hunter2@localhost/srv',
  'ftp://me:hunter2@host/',
  's3://bucket?secret=hunter2',
  's3://bucket/x?secret=hunter2',
  'https://host/x?token=hunter2',
  'https://host/x#hunter2',
  'https://hunter2@host/x',
  'me:hunter2@host:/srv',
  'ssh://host/x?hunter2',
  'file:///srv/x?hunter2',
])('the secret in %s is not repeated', (url) => {
  const error = varveErrorOf(() => parseRemoteUrl(url))
  expect(error).toMatchObject(badConfig)
  expect(`${error.message} ${error.hint} ${String(error.cause)}`).not.toContain('hunter2')
})

test.each(['https://me:hunter2@host/', 's3://id:hunter2@bucket'])(
  '%s holds a password, and is told so',
  (url) => {
    expect(varveErrorOf(() => parseRemoteUrl(url))).toMatchObject({
      message: 'the URL of the remote holds a password, and it would be stored in a config file',
      hint: /Take the password out/,
    })
  },
)

test('a port is no password, nor is an @ in a path', () => {
  expect(parseRemoteUrl('https://host:8080/a@b').kind).toBe('http')
  expect(parseRemoteUrl('ssh://host:22/a@b').kind).toBe('ssh')
})

describe('whatever is typed', () => {
  const schemes = ['s3://', 'ssh://', 'sftp://', 'https://', 'http://', 'file://', 'me@', 'C:', '-o', '']
  const texts = fc
    .tuple(
      fc.constantFrom(...schemes),
      fc.array(
        fc.oneof(
          fc.constantFrom(
            'host',
            'bucket',
            ':',
            '/',
            '@',
            '~',
            '..',
            '.',
            '%',
            '[',
            ']',
            '-',
            '\\',
            '?',
            '#',
            '22',
          ),
          fc.string({ unit: 'binary', maxLength: 6 }),
        ),
        { maxLength: 8 },
      ),
    )
    .map(([scheme, parts]) => scheme + parts.join(''))

  test('throws nothing but BAD_CONFIG, and what it takes is safe', () => {
    fc.assert(
      fc.property(texts, (url) => {
        const outcome = outcomeOf(() => parseRemoteUrl(url))
        if (outcome instanceof VarveError) {
          expect(outcome).toMatchObject(badConfig)
          return
        }
        expect(JSON.stringify(outcome)).not.toMatch(/\\u00[01]/)
        if (outcome.kind === 'ssh') {
          expect(outcome.host).toMatch(/^[A-Za-z0-9_:]/)
          expect(outcome.user ?? 'x').toMatch(/^[A-Za-z0-9_]/)
          expect(outcome.path).toMatch(/^[/~]/)
        }
        if (outcome.kind === 's3') {
          expect(outcome.bucket).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]+$/)
          expect(outcome.prefix.split('/')).not.toContain('..')
        }
        if (outcome.kind === 'http')
          expect(new URL(outcome.url)).toMatchObject({ username: '', password: '' })
      }),
      { numRuns: 3000 },
    )
  })

  test('is refused with a password that is nowhere in the error', () => {
    const names = fc.stringMatching(/^[a-zA-Z0-9_.-]{1,8}$/)
    const secrets = fc.stringMatching(/^[!-~]{1,12}$/).map((text) => `hunter2${text.replaceAll('@', '')}`)
    fc.assert(
      fc.property(
        fc.constantFrom('s3', 'ssh', 'https', 'ftp'),
        names,
        secrets,
        names,
        (scheme, user, secret, host) => {
          const error = varveErrorOf(() => parseRemoteUrl(`${scheme}://${user}:${secret}@${host}/x`))
          expect(error.code).toBe('BAD_CONFIG')
          expect(`${error.message} ${error.hint}`).not.toContain('hunter2')
        },
      ),
      { numRuns: 500 },
    )
  })
})

test.each([
  ['C:', true],
  ['c:/x', true],
  ['C:\\x', true],
  ['C:x', false],
  ['CC:/x', false],
  ['/c:/x', false],
])('%s is a path on a Windows drive: %s', (path, expected) => {
  expect(isDrivePath(path)).toBe(expected)
})
