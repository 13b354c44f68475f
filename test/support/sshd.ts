import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { SshPlace } from '../../remotes/ssh/ssh-place.ts'

const SSHD = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd'].find((path) =>
  existsSync(path),
)

/** Whether this machine has OpenSSH's server. */
export const hasSshd = SSHD !== undefined

export type Sshd = {
  port: number
  user: string
  /** A home folder whose `.ssh` has a key that may log in, and knows the host. */
  home: string
  /** The host's public keys, as `known_hosts` has them: type and base64. */
  hostKeys: { ed25519: string; ecdsa: string }
  /** A new empty folder for a remote. */
  makeFolder: () => string
  place: (path: string) => SshPlace
  stop: () => Promise<void>
}

/** OpenSSH's sshd on a free port of the loopback, with throw-away keys, as the user who runs the tests. */
export async function startSshd(
  options: { config?: readonly string[]; subsystem?: string } = {},
): Promise<Sshd> {
  if (SSHD === undefined) throw new Error('there is no sshd on this machine')
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'varve-sshd-')))
  const home = join(folder, 'home')
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  makeKey(join(folder, 'host_ed25519'))
  makeKey(join(folder, 'host_ecdsa'), { type: 'ecdsa' })
  makeKey(join(home, '.ssh/id_ed25519'))
  // Where sshd runs as root, it wants this folder to be there.
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const port = await freePort()
  const config = join(folder, 'sshd_config')
  writeFileSync(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(folder, 'host_ed25519')}`,
      `HostKey ${join(folder, 'host_ecdsa')}`,
      `AuthorizedKeysFile ${join(home, '.ssh/id_ed25519.pub')}`,
      'PidFile none',
      'UsePAM no',
      'StrictModes no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin yes',
      'MaxStartups 100',
      `Subsystem sftp ${options.subsystem ?? 'internal-sftp'}`,
      ...(options.config ?? []),
      '',
    ].join('\n'),
  )
  const log = join(folder, 'log')
  const server = spawn(SSHD, ['-D', '-E', log, '-f', config], { stdio: 'ignore' })
  await untilListening(server, { port, log })
  const hostKeys = {
    ed25519: publicKeyAt(join(folder, 'host_ed25519.pub')),
    ecdsa: publicKeyAt(join(folder, 'host_ecdsa.pub')),
  }
  writeFileSync(join(home, '.ssh/known_hosts'), `[127.0.0.1]:${port} ${hostKeys.ed25519}\n`)
  const { username: user } = userInfo()
  return {
    port,
    user,
    home,
    hostKeys,
    makeFolder: () => mkdtempSync(join(folder, 'remote-')),
    place: (path) => ({ url: `ssh://${user}@127.0.0.1:${port}${path}`, user, host: '127.0.0.1', port, path }),
    stop: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      // The processes that serve connections end with those.
      server.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A key at `path` and `path.pub`, of type ed25519 where no other is asked for. */
export function makeKey(path: string, options: { type?: string; passphrase?: string } = {}): void {
  const { type = 'ed25519', passphrase = '' } = options
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-f', path])
}

function publicKeyAt(path: string): string {
  return readFileSync(path, 'utf8').trim().split(' ').slice(0, 2).join(' ')
}

/** Lets the SSH remote see this home folder and no agent; gives back what restores the environment. */
export function useHome(home: string, options: { agentAddress?: string } = {}): () => void {
  const { HOME, SSH_AUTH_SOCK } = process.env
  process.env.HOME = home
  process.env.SSH_AUTH_SOCK = options.agentAddress ?? ''
  return () => {
    restore('HOME', HOME)
    restore('SSH_AUTH_SOCK', SSH_AUTH_SOCK)
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name]
  else process.env[name] = value
}

async function untilListening(server: ChildProcess, options: { port: number; log: string }): Promise<void> {
  while (server.exitCode === null && server.signalCode === null) {
    const socket = connect(options.port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    socket.destroy()
    if (isOpen) return
    await wait(20)
  }
  throw new Error(`sshd ended: ${readFileSync(options.log, 'utf8')}`)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
