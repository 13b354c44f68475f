import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import type { SshEnvironment } from '../../../../remotes/ssh/ssh-environment.ts'
import { resolveSshSettings } from '../../../../remotes/ssh/ssh-settings.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

let environment: SshEnvironment
let home: string

beforeEach(() => {
  home = makeTemporaryFolder()
  mkdirSync(join(home, '.ssh/conf.d'), { recursive: true })
  mkdirSync(join(home, 'etc'))
  environment = {
    homeFolder: home,
    userName: 'local',
    agentAddress: '/agent',
    systemFolder: join(home, 'etc'),
    variables: { KEYS: '/keys' },
  }
})

function writeConfig(text: string, file = '.ssh/config'): void {
  writeFileSync(join(home, file), text)
}

function resolve(host: string, more: { user?: string; port?: number } = {}) {
  return resolveSshSettings({ host, user: more.user, port: more.port }, environment)
}

test('without a config, the defaults of ssh', async () => {
  expect(await resolve('example.org')).toEqual({
    sshArguments: 'example.org',
    hostName: 'example.org',
    port: 22,
    user: 'local',
    hostKeyAlias: undefined,
    knownHostsFiles: [
      ...['known_hosts', 'known_hosts2'].map((name) => join(home, '.ssh', name)),
      ...['ssh_known_hosts', 'ssh_known_hosts2'].map((name) => join(home, 'etc', name)),
    ],
    acceptsUnknownHosts: false,
    identityFiles: ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name)),
    isIdentitiesOnly: false,
    agentAddress: '/agent',
    connectTimeoutMs: 20_000,
    aliveIntervalMs: 15_000,
    aliveCountMax: 3,
    jumps: [],
  })
})

test('an alias is completed, the first value counts, identity files add up', async () => {
  writeConfig(`
    Host data
      HostName %h.example.org
      User=them
      port 2200
      IdentityFile ~/.ssh/data key
      IdentitiesOnly yes
      HostKeyAlias store
      ConnectTimeout 5
      ServerAliveInterval 2m
      ServerAliveCountMax 7
      UserKnownHostsFile "~/my hosts" /etc/hosts2
      GlobalKnownHostsFile none
    Host *
      Port 2201
      IdentityFile %d/%u/%r@%h
      IdentityFile \${KEYS}/%n-%p-100%%
  `)
  expect(await resolve('data')).toMatchObject({
    sshArguments: 'data',
    hostName: 'data.example.org',
    port: 2200,
    user: 'them',
    identityFiles: [
      join(home, '.ssh/data key'),
      `${home}/local/them@data.example.org`,
      '/keys/data-2200-100%',
    ],
    isIdentitiesOnly: true,
    hostKeyAlias: 'store',
    connectTimeoutMs: 5000,
    aliveIntervalMs: 120_000,
    aliveCountMax: 7,
    knownHostsFiles: [join(home, 'my hosts'), '/etc/hosts2'],
  })
  expect(await resolve('other')).toMatchObject({ port: 2201, hostName: 'other', user: 'local' })
})

test('the URL has the first word', async () => {
  writeConfig('Host *\n User them\n Port 2200\n')
  expect(await resolve('data', { user: 'me', port: 22 })).toMatchObject({
    user: 'me',
    port: 22,
    sshArguments: '-p 22 me@data',
  })
})

test("the system's config comes after the user's", async () => {
  writeConfig('Host data\n User them\n')
  writeConfig('User admin\nPort 2222\nStrictHostKeyChecking no\n', 'etc/ssh_config')
  expect(await resolve('data')).toMatchObject({ user: 'them', port: 2222, acceptsUnknownHosts: true })
})

describe('Host and Match', () => {
  test.each([
    ['Host a b data', true],
    ['Host "data"', true],
    ['Host d?ta', true],
    ['Host * !data', false],
    ['Host !data *', false],
    ['Host other', false],
    ['Match all', true],
    ['Match host data.example.org', true],
    ['Match host data', false],
    ['Match originalhost data,x', true],
    ['Match !originalhost data', false],
    ['Match originalhost data user them', true],
    ['Match originalhost data user me', false],
    ['Match localuser local', true],
    ['Match final all', false],
    ['Match canonical all', false],
    ['Match unheardof x', false],
  ])('%s holds: %s', async (section, holds) => {
    writeConfig(`HostName data.example.org\nUser them\n${section}\n  Port 2222\n`)
    expect((await resolve('data')).port).toBe(holds ? 2222 : 22)
  })

  test('Match exec runs nothing and does not hold', async () => {
    const trace = join(home, 'trace')
    writeConfig(`Match exec "touch ${trace}"\n  Port 2222\n`)
    expect((await resolve('data')).port).toBe(22)
    await expect(import('node:fs/promises').then((fs) => fs.stat(trace))).rejects.toThrow('ENOENT')
  })
})

describe('Include', () => {
  test('reads relative, absolute and wild names in their order; what follows is of the file again', async () => {
    writeConfig(`Include conf.d/*\nInclude ~/absent\nInclude ${home}/one\nServerAliveCountMax 9\n`)
    writeConfig('Host data\n  Port 2201\n', '.ssh/conf.d/10-a')
    writeConfig('Host *\n  Port 2202\n  User wild\n', '.ssh/conf.d/20-b')
    writeConfig('Host other\n  User other\n', 'one')
    expect(await resolve('data')).toMatchObject({ port: 2201, user: 'wild', aliveCountMax: 9 })
    expect(await resolve('other')).toMatchObject({ port: 2202, user: 'wild', aliveCountMax: 9 })
  })

  test('below a Host counts for that host alone', async () => {
    writeConfig('Host data\n  Include conf.d/x\nHost *\n  User late\n')
    writeConfig('User early\nHost *\n  Port 2222\n', '.ssh/conf.d/x')
    expect(await resolve('data')).toMatchObject({ user: 'early', port: 2222 })
    expect(await resolve('other')).toMatchObject({ user: 'late', port: 22 })
  })

  test('in a circle is an error that names the file', async () => {
    writeConfig('Include config\n')
    await expect(resolve('data')).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringContaining(join(home, '.ssh/config')),
    })
  })
})

test.each([
  ['ProxyJump a,me@b:2222', ['a', 'me@b:2222']],
  ['ProxyJump none', []],
  ['ProxyCommand none', []],
  ['ProxyJump a\nProxyCommand x', ['a']],
])('%j goes through %j', async (line, jumps) => {
  writeConfig(`${line}\n`)
  expect((await resolve('data')).jumps).toEqual(jumps)
})

test('a ProxyCommand is refused, and says what to do', async () => {
  writeConfig('Host data\n  ProxyCommand nc %h %p\n')
  await expect(resolve('data')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining('ProxyCommand'),
    hint: expect.stringContaining('ProxyJump'),
  })
  expect(await resolve('other')).toMatchObject({ jumps: [] })
})

test.each([
  ['IdentityAgent none', undefined],
  ['IdentityAgent ~/sock', 'HOME/sock'],
  ['IdentityAgent SSH_AUTH_SOCK', '/agent'],
  ['IdentityAgent $KEYS', '/keys'],
])('%s asks the agent at %s', async (line, expected) => {
  writeConfig(`${line}\n`)
  expect((await resolve('data')).agentAddress).toBe(expected?.replace('HOME', home))
})

test.each([
  ['yes', false],
  ['ask', false],
  ['accept-new', false],
  ['no', true],
  ['off', true],
])('StrictHostKeyChecking %s takes unknown hosts: %s', async (value, expected) => {
  writeConfig(`StrictHostKeyChecking ${value}\n`)
  expect((await resolve('data')).acceptsUnknownHosts).toBe(expected)
})

test('a config that cannot be parsed is an error that names it', async () => {
  writeConfig('Host "data\n')
  await expect(resolve('data')).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    message: expect.stringContaining(join(home, '.ssh/config')),
    hint: expect.stringContaining('ssh -G data'),
  })
})
