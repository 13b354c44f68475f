import { readFile } from 'node:fs/promises'
import { VarveError } from '../../core/errors.ts'
import { firstLine } from './connection-error.ts'
import {
  fingerprintOf,
  judgeHostKey,
  type KnownHost,
  keyTypeOf,
  knownHostsName,
  knownKeyTypes,
  parseKnownHosts,
} from './known-hosts.ts'
import type { SshSettings } from './ssh-settings.ts'

/** Signature algorithms by the type of key, the most trusted first. ssh-rsa means SHA-1, and is never offered. */
const ALGORITHMS: readonly [keyType: string, algorithms: readonly string[]][] = [
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]

export type HostKeyCheck = {
  /** To offer to the server: those first for which `known_hosts` has a key, so that it shows that one. */
  algorithms: string[]
  /** @throws VarveError when the key must not be trusted. */
  verify: (key: Buffer) => void
}

/** What the files of `known_hosts` say of a host. Nothing is ever written to them. */
export async function readHostKeyCheck(settings: SshSettings): Promise<HostKeyCheck> {
  const hosts = (await Promise.all(settings.knownHostsFiles.map(readKnownHosts))).flat()
  const name = settings.hostKeyAlias?.toLowerCase() ?? knownHostsName(settings.hostName, settings.port)
  const known = new Set(knownKeyTypes(hosts, name))
  const sorted = [...ALGORITHMS].sort(([a], [b]) => Number(known.has(b)) - Number(known.has(a)))
  return {
    algorithms: sorted.flatMap(([, algorithms]) => algorithms),
    verify: (key) => verify({ settings, hosts, name, key }),
  }
}

function verify(options: { settings: SshSettings; hosts: KnownHost[]; name: string; key: Buffer }): void {
  const { settings, hosts, name, key } = options
  const verdict = judgeHostKey(hosts, name, key)
  const shown = `${firstLine(keyTypeOf(key))} ${fingerprintOf(key)}`
  switch (verdict.is) {
    case 'known':
      return
    case 'revoked':
      throw refused(`the host key of ${name} is revoked by ${verdict.line.where}: ${shown}`, {
        hint: "Do not connect; ask the server's administrator for its new key.",
      })
    case 'changed':
      throw refused(`the host key of ${name} is not the one in ${verdict.line.where}: it shows ${shown}`, {
        hint:
          "Ask the server's administrator whether the key was changed: someone may be in between. If it was, " +
          `run \`ssh-keygen -R '${name}'\` and then \`ssh ${settings.sshArguments}\` once.`,
      })
    case 'unknown':
      if (settings.acceptsUnknownHosts) return
      // As ssh does: a host may be filed without the port that it is reached by.
      if (isKnownWithoutPort(options)) return
      throw refused(`the host key of ${name} is not known: ${shown}`, {
        hint: `Run \`ssh ${settings.sshArguments}\` once, and accept the key if it is this one.`,
      })
  }
}

function isKnownWithoutPort(options: { settings: SshSettings; hosts: KnownHost[]; key: Buffer }): boolean {
  const { settings, hosts, key } = options
  if (settings.hostKeyAlias !== undefined) return false
  return judgeHostKey(hosts, knownHostsName(settings.hostName, 22), key).is === 'known'
}

async function readKnownHosts(file: string): Promise<KnownHost[]> {
  try {
    return parseKnownHosts(await readFile(file, 'utf8'), file)
  } catch {
    // What cannot be read makes no host known.
    return []
  }
}

function refused(message: string, options: { hint: string }): VarveError {
  return new VarveError('REMOTE_FAILED', message, options)
}
