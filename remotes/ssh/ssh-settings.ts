import { join } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import type { SshEnvironment } from './ssh-environment.ts'
import { readSshOptions, type SshOptions } from './ssh-options.ts'
import { sshArgumentsOf } from './ssh-place.ts'

/** How one host is reached: what was asked for, completed by the user's SSH config. */
export type SshSettings = {
  /** What a user types after `ssh` to reach it. */
  sshArguments: string
  hostName: string
  port: number
  user: string
  /** The name that `known_hosts` is searched for, instead of host and port. */
  hostKeyAlias: string | undefined
  knownHostsFiles: readonly string[]
  /** `StrictHostKeyChecking no`: a host without any line in `known_hosts` is taken at its word. */
  acceptsUnknownHosts: boolean
  identityFiles: readonly string[]
  /** Only keys of `identityFiles` are tried, also of those that the agent holds. */
  isIdentitiesOnly: boolean
  agentAddress: string | undefined
  connectTimeoutMs: number
  aliveIntervalMs: number
  aliveCountMax: number
  /** Hosts to go through, from the first to the last: `[user@]host[:port]`. */
  jumps: readonly string[]
}

const DEFAULT_IDENTITIES = ['id_ed25519', 'id_ecdsa', 'id_rsa']
const DEFAULT_CONNECT_TIMEOUT_MS = 20_000
const DEFAULT_ALIVE_INTERVAL_MS = 15_000
const DEFAULT_ALIVE_COUNT = 3

/** @throws BAD_CONFIG for an SSH config that cannot be read, or that asks for what is not supported. */
export async function resolveSshSettings(
  target: { user: string | undefined; host: string; port: number | undefined },
  environment: SshEnvironment,
): Promise<SshSettings> {
  const { host } = target
  const options = await readSshOptions({ host, user: target.user, environment })
  const first = (name: string) => options.get(name)?.[0]
  const user = target.user ?? first('user') ?? environment.userName
  const hostName = (first('hostname') ?? host).replaceAll('%h', host)
  const port = target.port ?? (numberOf(first('port'), { max: 65_535 }) || 22)
  refuseProxyCommand(options, host)
  const expand = (path: string) => expandPath(path, { host, hostName, port, user, environment })
  const sshFolder = join(environment.homeFolder, '.ssh')
  const agent = first('identityagent')
  return {
    sshArguments: sshArgumentsOf(target),
    hostName,
    port,
    user,
    hostKeyAlias: first('hostkeyalias'),
    knownHostsFiles: [
      ...filesOf(options.get('userknownhostsfile'), ['known_hosts', 'known_hosts2'], sshFolder),
      ...filesOf(
        options.get('globalknownhostsfile'),
        ['ssh_known_hosts', 'ssh_known_hosts2'],
        environment.systemFolder,
      ),
    ].map(expand),
    acceptsUnknownHosts: /^(no|off)$/i.test(first('stricthostkeychecking') ?? ''),
    identityFiles: filesOf(options.get('identityfile'), DEFAULT_IDENTITIES, sshFolder).map(expand),
    isIdentitiesOnly: /^yes$/i.test(first('identitiesonly') ?? ''),
    agentAddress:
      agent === undefined || agent === 'SSH_AUTH_SOCK' ? environment.agentAddress : agentAt(expand(agent)),
    connectTimeoutMs: millisecondsOf(first('connecttimeout')) || DEFAULT_CONNECT_TIMEOUT_MS,
    aliveIntervalMs: millisecondsOf(first('serveraliveinterval')) || DEFAULT_ALIVE_INTERVAL_MS,
    aliveCountMax: numberOf(first('serveralivecountmax'), { max: 1000 }) || DEFAULT_ALIVE_COUNT,
    jumps: jumpsOf(first('proxyjump')),
  }
}

function refuseProxyCommand(options: SshOptions, host: string): void {
  const command = options.get('proxycommand')?.join(' ')
  const jump = options.get('proxyjump')?.[0]
  if (command === undefined || /^none$/i.test(command) || (jump !== undefined && !isNone(jump))) return
  throw new VarveError(
    'BAD_CONFIG',
    `the SSH config reaches ${host} by a ProxyCommand, which Varve does not run`,
    {
      hint: 'Use ProxyJump in ~/.ssh/config, or forward a port with `ssh -L` and name that port in the URL.',
    },
  )
}

function filesOf(
  words: readonly string[] | undefined,
  defaults: readonly string[],
  folder: string,
): string[] {
  if (words === undefined) return defaults.map((name) => join(folder, name))
  return words.filter((word) => !isNone(word))
}

function agentAt(address: string): string | undefined {
  return isNone(address) ? undefined : address
}

function jumpsOf(value: string | undefined): string[] {
  return value === undefined || isNone(value) ? [] : value.split(',').map((jump) => jump.trim())
}

function isNone(word: string): boolean {
  return /^none$/i.test(word)
}

/** The tokens of ssh_config(5) that paths of keys and of `known_hosts` use, `~/` and `${VARIABLE}`. */
function expandPath(
  path: string,
  names: { host: string; hostName: string; port: number; user: string; environment: SshEnvironment },
): string {
  const { homeFolder, userName, variables } = names.environment
  const tokens: Record<string, string> = {
    '%%': '%',
    '%d': homeFolder,
    '%h': names.hostName,
    '%n': names.host,
    '%p': String(names.port),
    '%r': names.user,
    '%u': userName,
  }
  return path
    .replace(/^~(?=[/\\])/, () => homeFolder)
    .replace(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? whole)
    .replace(/^\$(\w+)$/, (whole, name: string) => variables[name] ?? whole)
    .replace(/%./g, (token) => tokens[token] ?? token)
}

function numberOf(word: string | undefined, { max }: { max: number }): number {
  const value = /^\d+$/.test(word ?? '') ? Number(word) : 0
  return value <= max ? value : 0
}

/** Seconds, or a time as sshd_config(5) writes it: `90`, `5m`, `1h`. */
function millisecondsOf(word: string | undefined): number {
  const match = /^(\d+)([smh]?)$/i.exec(word ?? '')
  if (match === null) return 0
  const unit = { m: 60, h: 3600 }[match[2]!.toLowerCase()] ?? 1
  return Math.min(Number(match[1]) * unit * 1000, 2 ** 31 - 1)
}
