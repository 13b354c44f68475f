import { expect, test } from 'vitest'
import {
  checkSshPlace,
  type SshPlace,
  serverFolderOf,
  sshArgumentsOf,
} from '../../../../remotes/ssh/ssh-place.ts'

const place: SshPlace = {
  url: 'ssh://me@example.org/data',
  user: 'me',
  host: 'example.org',
  port: undefined,
  path: '/data',
}

test.each([
  { host: 'build_box' },
  { host: '192.0.2.1' },
  { host: '2001:db8::1' },
  { host: 'fe80::1%eth0' },
  { user: undefined },
  { user: 'first.last+x' },
  { port: 65_535 },
  { path: '~' },
  { path: '~/data sets/ä' },
])('%j is a place', (change) => {
  expect(() => checkSshPlace({ ...place, ...change })).not.toThrow()
})

test.each([
  { host: '-oProxyCommand=x' },
  { host: '' },
  { host: 'a b' },
  { host: 'a;b' },
  { host: '$(x)' },
  { host: 'a\nb' },
  { host: 'a/b' },
  { user: '-l' },
  { user: '' },
  { user: 'a b' },
  { user: 'a`x`' },
  { user: "a'b" },
  { user: 'a:secret' },
  { port: 0 },
  { port: 65_536 },
  { port: 1.5 },
  { path: '' },
  { path: 'data' },
  { path: '~root/data' },
  { path: '/data\0' },
  { path: '/data\n' },
])('%j is refused', (change) => {
  expect(() => checkSshPlace({ ...place, ...change })).toThrow(
    expect.objectContaining({ code: 'BAD_CONFIG', hint: expect.any(String) }),
  )
})

test.each([
  ['/data', '/data'],
  ['/data/', '/data'],
  ['/data//', '/data'],
  ['/', '/'],
  ['~', '.'],
  ['~/', '.'],
  ['~/data', 'data'],
  ['~//data/', 'data'],
])('the folder of %s is %s', (path, folder) => {
  expect(serverFolderOf(path)).toBe(folder)
})

test('what a user types after ssh', () => {
  expect(sshArgumentsOf(place)).toBe('me@example.org')
  expect(sshArgumentsOf({ user: undefined, host: 'box', port: 2222 })).toBe('-p 2222 box')
})
