import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fingerprintOf } from '../../../remotes/ssh/known-hosts.ts'
import type { SshPlace } from '../../../remotes/ssh/ssh-place.ts'
import { createSshRemote } from '../../../remotes/ssh.ts'
import { keysOf, sourceOf } from '../../contract/sources.ts'
import { requiredServer } from '../../support/required-server.ts'
import { hasSshd, makeKey, type Sshd, startSshd, useHome } from '../../support/sshd.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

describe.runIf(requiredServer('sshd', hasSshd))('a login', () => {
  let sshd: Sshd
  let home: string
  let restore: () => void
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd.stop())
  beforeEach(() => {
    home = makeTemporaryFolder()
    cpSync(sshd.home, home, { recursive: true })
    restore = useHome(home)
  })
  afterEach(() => restore())

  const inSsh = (name: string) => join(home, '.ssh', name)
  const name = () => `[127.0.0.1]:${sshd.port}`

  async function attempt(change: Partial<SshPlace> = {}): Promise<string[]> {
    const remote = await createSshRemote({ ...sshd.place(sshd.makeFolder()), ...change })
    await remote.write('value', sourceOf('x'))
    return keysOf(remote, '')
  }

  describe('checks the host key:', () => {
    test('an unknown host is refused, with its fingerprint and what to do', async () => {
      writeFileSync(inSsh('known_hosts'), '')
      const key = Buffer.from(sshd.hostKeys.ed25519.split(' ')[1]!, 'base64')
      await expect(attempt()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: false,
        message: `the host key of ${name()} is not known: ssh-ed25519 ${fingerprintOf(key)}`,
        hint: expect.stringContaining(`ssh -p ${sshd.port} ${sshd.user}@127.0.0.1`),
      })
      expect(readFileSync(inSsh('known_hosts'), 'utf8')).toBe('')
    })

    test('no known_hosts at all knows no host', async () => {
      rmSync(inSsh('known_hosts'))
      await expect(attempt()).rejects.toMatchObject({ message: expect.stringContaining('is not known') })
      expect(existsSync(inSsh('known_hosts'))).toBe(false)
    })

    test.each(['', 'StrictHostKeyChecking no\n'])('a changed key is refused (config: %j)', async (config) => {
      makeKey(inSsh('another'))
      const another = readFileSync(inSsh('another.pub'), 'utf8')
      writeFileSync(inSsh('known_hosts'), `# a comment\n${name()} ${another}`)
      writeFileSync(inSsh('config'), config)
      await expect(attempt()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: false,
        message: expect.stringContaining(`not the one in ${inSsh('known_hosts')}:2`),
        hint: expect.stringContaining(`ssh-keygen -R '${name()}'`),
      })
    })

    test('a revoked key is refused', async () => {
      appendFileSync(inSsh('known_hosts'), `@revoked * ${sshd.hostKeys.ed25519}\n`)
      await expect(attempt()).rejects.toMatchObject({ message: expect.stringContaining('is revoked by') })
    })

    test('the key is asked for that known_hosts has', async () => {
      writeFileSync(inSsh('known_hosts'), `${name()} ${sshd.hostKeys.ecdsa}\n`)
      expect(await attempt()).toEqual(['value'])
    })

    test('a host may be filed under hashes, without its port, or under an alias', async () => {
      execFileSync('ssh-keygen', ['-q', '-H', '-f', inSsh('known_hosts')], { stdio: 'ignore' })
      expect(readFileSync(inSsh('known_hosts'), 'utf8')).toMatch(/^\|1\|/)
      expect(await attempt()).toEqual(['value'])
      writeFileSync(inSsh('known_hosts'), `127.0.0.1 ${sshd.hostKeys.ed25519}\n`)
      expect(await attempt()).toEqual(['value'])
      writeFileSync(inSsh('known_hosts'), `store ${sshd.hostKeys.ed25519}\n`)
      await expect(attempt()).rejects.toMatchObject({ message: expect.stringContaining('is not known') })
      writeFileSync(inSsh('config'), 'HostKeyAlias store\n')
      expect(await attempt()).toEqual(['value'])
    })

    test.each([
      ['no', true],
      ['accept-new', false],
    ])('StrictHostKeyChecking %s takes an unknown host: %s, and writes nothing', async (value, isTaken) => {
      writeFileSync(inSsh('known_hosts'), '')
      writeFileSync(inSsh('config'), `StrictHostKeyChecking ${value}\n`)
      if (isTaken) expect(await attempt()).toEqual(['value'])
      else await expect(attempt()).rejects.toMatchObject({ message: expect.stringContaining('is not known') })
      expect(readFileSync(inSsh('known_hosts'), 'utf8')).toBe('')
    })
  })

  describe('offers keys:', () => {
    test('an IdentityFile of an alias, with its host, port and user', async () => {
      mkdirSync(join(home, 'keys'))
      cpSync(inSsh('id_ed25519'), join(home, 'keys/store'))
      rmSync(inSsh('id_ed25519'))
      await expect(attempt()).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
      writeFileSync(
        inSsh('config'),
        `Host store\n HostName 127.0.0.1\n Port ${sshd.port}\n User ${sshd.user}\n IdentityFile ~/keys/store\n`,
      )
      expect(await attempt({ host: 'store', user: undefined, port: undefined })).toEqual(['value'])
    })

    test('a key that the server does not know: who was refused, what was tried, what to do', async () => {
      rmSync(inSsh('id_ed25519'))
      rmSync(inSsh('id_ed25519.pub'))
      makeKey(inSsh('id_ed25519'))
      await expect(attempt()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: false,
        message: `no login as ${sshd.user}@127.0.0.1 port ${sshd.port}: tried ${inSsh('id_ed25519')}`,
        hint: expect.stringContaining('ssh-add'),
      })
    })

    test('no key at all says so', async () => {
      rmSync(inSsh('id_ed25519'))
      await expect(attempt()).rejects.toMatchObject({
        message: expect.stringContaining('there was no key to try'),
      })
    })

    test('one with a passphrase needs an agent, and says how to load it', async () => {
      execFileSync('ssh-keygen', ['-q', '-p', '-N', 'top secret', '-f', inSsh('id_ed25519')], {
        stdio: 'ignore',
      })
      await expect(attempt()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        message: expect.stringContaining(`${inSsh('id_ed25519')} has a passphrase`),
        hint: `Run \`ssh-add ${inSsh('id_ed25519')}\` and run the command again.`,
      })
    })

    test('one that others may read is not used; the next one is', async () => {
      cpSync(inSsh('id_ed25519'), inSsh('id_rsa'))
      chmodSync(inSsh('id_ed25519'), 0o640)
      expect(await attempt()).toEqual(['value'])
      chmodSync(inSsh('id_rsa'), 0o604)
      await expect(attempt()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: false,
        message: expect.stringContaining(
          `there was no key to try; ${inSsh('id_ed25519')} was not used, for others may read it`,
        ),
        hint: `Run \`chmod 600 ${inSsh('id_ed25519')}\` and run the command again.`,
      })
      chmodSync(inSsh('id_ed25519'), 0o600)
      expect(await attempt()).toEqual(['value'])
    })

    test('of an agent, without any file; of several keys the named ones first', async () => {
      const agent = await startAgent(join(home, 'agent'))
      try {
        const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => join(home, key))
        for (const key of others) makeKey(key)
        agent.add(...others, inSsh('id_ed25519'))
        restore()
        restore = useHome(home, { agentAddress: join(home, 'agent') })
        // Eight keys are more than sshd lets be tried: the public file says which one to begin with.
        rmSync(inSsh('id_ed25519'))
        expect(await attempt()).toEqual(['value'])
        rmSync(inSsh('id_ed25519.pub'))
        await expect(attempt()).rejects.toMatchObject({
          code: 'REMOTE_FAILED',
          message: expect.stringContaining('tried the agent (8 keys)'),
        })
        makeKey(inSsh('id_rsa'))
        writeFileSync(inSsh('config'), 'IdentitiesOnly yes\n')
        await expect(attempt()).rejects.toMatchObject({
          message: expect.stringMatching(/: tried \S+id_rsa$/),
        })
      } finally {
        await agent.stop()
      }
    })

    test('an agent that is not there is passed over', async () => {
      restore()
      restore = useHome(home, { agentAddress: join(home, 'nobody') })
      expect(await attempt()).toEqual(['value'])
    })

    test('an agent that is silent is passed over after ConnectTimeout', async () => {
      const agentAddress = join(home, 'silent')
      const agent = createServer((socket) => socket.on('error', () => undefined))
      await new Promise<void>((resolve) => agent.listen(agentAddress, resolve))
      writeFileSync(inSsh('config'), 'ConnectTimeout 1\n')
      restore()
      restore = useHome(home, { agentAddress })
      expect(await attempt()).toEqual(['value'])
      agent.close()
    })
  })

  describe('reaches the host', () => {
    test('through ProxyJump', async () => {
      writeFileSync(
        inSsh('config'),
        `Host inner\n HostName 127.0.0.1\n ProxyJump ${sshd.user}@outer\n` +
          `Host outer\n HostName localhost\n HostKeyAlias ${name()}\nHost *\n Port ${sshd.port}\n`,
      )
      expect(await attempt({ host: 'inner', port: undefined })).toEqual(['value'])
    })

    test('not through itself', async () => {
      writeFileSync(inSsh('config'), 'ProxyJump a,b\n')
      await expect(attempt()).rejects.toMatchObject({
        code: 'BAD_CONFIG',
        message: expect.stringContaining('more than 8 hosts'),
      })
    })

    test('not where nothing listens', async () => {
      const { port, close } = await listen(() => undefined)
      await close()
      await expect(attempt({ port })).rejects.toMatchObject({
        code: 'REMOTE_UNREACHABLE',
        retryable: true,
        message: `127.0.0.1 port ${port} refuses connections`,
      })
    })

    test.each([
      ['another protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
      ['nothing', ''],
    ])('not where someone says %s and closes', async (_what, words) => {
      const { port, close } = await listen((socket) => socket.end(words))
      await expect(attempt({ port })).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        retryable: true,
        message: expect.stringContaining(`the connection to 127.0.0.1 port ${port} ended before a login`),
      })
      await close()
    })

    test('not where nobody answers: after ConnectTimeout', async () => {
      writeFileSync(inSsh('config'), 'ConnectTimeout 1\n')
      const { port, close } = await listen(() => undefined)
      await expect(attempt({ port })).rejects.toMatchObject({
        code: 'REMOTE_UNREACHABLE',
        retryable: true,
        message: `127.0.0.1 port ${port} did not answer within 1 seconds`,
      })
      await close()
    })
  })
})

async function listen(
  serve: (socket: Socket) => void,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  }
  return { port: (server.address() as { port: number }).port, close }
}

type Agent = { add: (...keys: string[]) => void; stop: () => Promise<void> }

async function startAgent(address: string): Promise<Agent> {
  const agent = spawn('ssh-agent', ['-D', '-a', address], { stdio: 'ignore' })
  while (!existsSync(address)) await wait(10)
  const env = { ...process.env, SSH_AUTH_SOCK: address }
  return {
    add: (...keys) => execFileSync('ssh-add', ['-q', ...keys], { env, stdio: 'ignore' }),
    stop: async () => {
      const ended = new Promise((resolve) => agent.once('exit', resolve))
      agent.kill('SIGTERM')
      await ended
    },
  }
}
