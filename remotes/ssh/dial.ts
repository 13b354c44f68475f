import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { AnyAuthMethod, Client } from 'ssh2'
import { VarveError } from '../../core/errors.ts'
import { connectionError, loginError, type SshLibraryError } from './connection-error.ts'
import { type HostKeyCheck, readHostKeyCheck } from './host-key-check.ts'
import { gatherIdentities, type Identities } from './identities.ts'
import type { SshEnvironment } from './ssh-environment.ts'
import { resolveSshSettings, type SshSettings } from './ssh-settings.ts'

/** A login. `socket` is the one to the first host on the way. */
export type SshLink = { client: Client; socket: Socket; settings: SshSettings; close: () => void }

type Target = { user: string | undefined; host: string; port: number | undefined }

const MAX_JUMPS = 8

/** @throws VarveError: retryable where another try may reach the host. */
export async function dial(target: Target, environment: SshEnvironment): Promise<SshLink> {
  const settings = await resolveSshSettings(target, environment)
  const hops = [...(await jumpsTo(settings, environment, 0)), settings]
  // Before a socket is open: a server that ends it at once must find who listens for that.
  const logins = await Promise.all(hops.map(prepareLogin))
  const socket = await openSocket(hops[0]!)
  const clients: Client[] = []
  const close = () => {
    for (const client of clients) client.end()
    socket.destroySoon()
  }
  try {
    let stream: Duplex = socket
    for (const [index, login] of logins.entries()) {
      const previous = clients.at(-1)
      if (previous !== undefined) stream = await forward(previous, hops[index]!)
      clients.push(await login(stream))
    }
  } catch (error) {
    close()
    throw error
  }
  return { client: clients.at(-1)!, socket, settings, close }
}

/** Each host of ProxyJump is reached as the user's config says, perhaps through others itself. */
async function jumpsTo(
  settings: SshSettings,
  environment: SshEnvironment,
  depth: number,
): Promise<SshSettings[]> {
  const hops: SshSettings[] = []
  for (const [index, jump] of settings.jumps.entries()) {
    if (depth + hops.length >= MAX_JUMPS) {
      throw new VarveError(
        'BAD_CONFIG',
        `more than ${MAX_JUMPS} hosts lie on the way to ${settings.hostName}`,
        {
          hint: 'Check the ProxyJump lines of ~/.ssh/config for a circle.',
        },
      )
    }
    const hop = await resolveSshSettings(parseJump(jump), environment)
    // Only the first of a list is reached by itself; the others through the one before.
    if (index === 0) hops.push(...(await jumpsTo(hop, environment, depth + 1)))
    hops.push(hop)
  }
  return hops
}

function parseJump(jump: string): Target {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?\/?$/.exec(jump)
  const host = match?.[2] ?? match?.[3]
  if (match === null || host === undefined) {
    throw new VarveError('BAD_CONFIG', `not a host to jump through: ${JSON.stringify(jump)}`, {
      hint: 'Write ProxyJump as user@host:port in ~/.ssh/config.',
    })
  }
  return { user: match[1], host, port: match[4] === undefined ? undefined : Number(match[4]) }
}

function openSocket(settings: SshSettings): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: settings.hostName, port: settings.port, noDelay: true })
    const fail = (error: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(connectionError(error, settings))
    }
    const timer = setTimeout(() => fail(new Error('timed out')), settings.connectTimeoutMs)
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      // Errors are met by who uses it; one that comes between must not end the process.
      socket.on('error', () => undefined)
      resolve(socket)
    })
  })
}

function forward(client: Client, to: SshSettings): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 0, to.hostName, to.port, (error, channel) => {
      if (error === undefined) resolve(channel)
      else {
        reject(
          new VarveError('REMOTE_FAILED', `the jump host could not reach ${to.hostName} port ${to.port}`, {
            hint: `Check that \`ssh ${to.sshArguments}\` works.`,
            retryable: true,
            cause: error,
          }),
        )
      }
    })
  })
}

/** Reads keys and known hosts; what it gives logs in through a stream that has just been opened. */
async function prepareLogin(settings: SshSettings): Promise<(sock: Duplex) => Promise<Client>> {
  const [hostKeys, identities] = await Promise.all([readHostKeyCheck(settings), gatherIdentities(settings)])
  const { Client } = (await import('ssh2')).default
  return (sock) => logIn({ settings, sock, hostKeys, identities, client: new Client() })
}

function logIn(options: {
  settings: SshSettings
  sock: Duplex
  hostKeys: HostKeyCheck
  identities: Identities
  client: Client
}): Promise<Client> {
  const { settings, sock, hostKeys, identities, client } = options
  const attempts: AnyAuthMethod[] = [...identities.attempts]
  if (attempts.length === 0) attempts.push({ type: 'none', username: settings.user })
  let methods: readonly string[] = []
  let isLoggingIn = false
  let refusal: unknown
  return new Promise((resolve, reject) => {
    const fail = (error: SshLibraryError) => {
      // An agent that does not sign is no end: the next key is tried.
      if (error.level === 'agent') return
      reject(
        refusal ??
          (isLoggingIn && isRefusal(error)
            ? loginError({ settings, identities, methods, cause: error })
            : connectionError(error, settings)),
      )
    }
    client.on('error', fail)
    client.once('close', () => fail(new Error('the server closed it')))
    client.once('ready', () => resolve(client))
    client.connect({
      sock,
      username: settings.user,
      readyTimeout: settings.connectTimeoutMs,
      algorithms: { serverHostKey: hostKeys.algorithms as never },
      hostVerifier: (key: Buffer) => {
        try {
          hostKeys.verify(key)
          return true
        } catch (error) {
          refusal = error
          return false
        }
      },
      authHandler: (left, _partial, next) => {
        isLoggingIn = true
        methods = left ?? methods
        next(attempts.shift() ?? (false as never))
      },
    })
  })
}

/** ssh2 has no key left, or the server has ended it: that comes with a number. */
function isRefusal(error: SshLibraryError & { code?: unknown }): boolean {
  return error.level === 'client-authentication' || typeof error.code === 'number'
}
