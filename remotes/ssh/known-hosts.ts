import { createHash, createHmac } from 'node:crypto'
import { matchesPatternList } from './host-pattern.ts'

/** One line of a `known_hosts` file. */
export type KnownHost = {
  isRevoked: boolean
  /** `name` is a host in lower case, or `[host]:port` where the port is not 22. */
  matches: (name: string) => boolean
  keyType: string
  key: Buffer
  /** `file:line`, for messages. */
  where: string
}

/**
 * `known`: a line has this key. `changed`: lines have other keys for the host. `revoked`: a line says that
 * this key must never be trusted. `line` is the line that decided.
 */
export type HostKeyVerdict = { is: 'known' | 'changed' | 'revoked'; line: KnownHost } | { is: 'unknown' }

/**
 * The lines of a `known_hosts` file (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Authorities of certificates, old
 * protocols and lines that cannot be read are passed over: none of them can make a key known.
 */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
  const hosts: KnownHost[] = []
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const words = line.trim().split(/\s+/)
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined
    const [names, keyType, base64] = words
    if (names === undefined || keyType === undefined || base64 === undefined) continue
    if (marker !== undefined && marker !== '@revoked') continue
    hosts.push({
      isRevoked: marker === '@revoked',
      matches: matcherOf(names),
      keyType,
      key: Buffer.from(base64, 'base64'),
      where: `${file}:${index + 1}`,
    })
  }
  return hosts
}

/** What the lines say of `key`, which the host called `name` has shown. */
export function judgeHostKey(hosts: readonly KnownHost[], name: string, key: Buffer): HostKeyVerdict {
  const own = hosts.filter((host) => host.matches(name))
  const equal = own.filter((host) => host.key.equals(key))
  const revoked = equal.find((host) => host.isRevoked)
  if (revoked !== undefined) return { is: 'revoked', line: revoked }
  if (equal[0] !== undefined) return { is: 'known', line: equal[0] }
  const other = own.find((host) => !host.isRevoked)
  return other === undefined ? { is: 'unknown' } : { is: 'changed', line: other }
}

/** The types of keys that the lines have for a host. */
export function knownKeyTypes(hosts: readonly KnownHost[], name: string): string[] {
  return [
    ...new Set(hosts.filter((host) => !host.isRevoked && host.matches(name)).map((host) => host.keyType)),
  ]
}

/** The name under which `known_hosts` files a host. */
export function knownHostsName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

/** As `ssh` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The first string in a key's bytes says what type it is. */
export function keyTypeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')
}

function matcherOf(names: string): (name: string) => boolean {
  if (!names.startsWith('|')) {
    const patterns = names.toLowerCase().split(',')
    return (name) => matchesPatternList(patterns, name)
  }
  const [, version, salt, hash] = names.split('|')
  if (version !== '1' || !salt || !hash) return () => false
  const expected = Buffer.from(hash, 'base64')
  const key = Buffer.from(salt, 'base64')
  return (name) => createHmac('sha1', key).update(name).digest().equals(expected)
}
