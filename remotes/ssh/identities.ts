import { readFile, stat } from 'node:fs/promises'
import type { AgentAuthMethod, BaseAgent, ParsedKey, PublicKeyAuthMethod } from 'ssh2'
import type { SshSettings } from './ssh-settings.ts'

export type Identities = {
  /** In the order in which they are to be tried. */
  attempts: (AgentAuthMethod | PublicKeyAuthMethod)[]
  /** What `attempts` are, in words. */
  tried: string[]
  /** Key files that need a passphrase, and that no agent holds. */
  encrypted: string[]
  /** Key files that others may read, which are not used. */
  exposed: string[]
}

/**
 * The keys to log in with, in the order of `ssh`: of the agent's keys those that a key file names, then its
 * others, then the key files whose key the agent does not hold. Nothing is asked: a key with a passphrase
 * has to be in the agent. A private key that others may read is passed over, as `ssh` does.
 */
export async function gatherIdentities(settings: SshSettings): Promise<Identities> {
  const { user: username, agentAddress, isIdentitiesOnly } = settings
  const [agent, files] = await Promise.all([
    agentAddress === undefined
      ? undefined
      : openAgent(agentAddress, { timeoutMs: settings.connectTimeoutMs }),
    Promise.all(settings.identityFiles.map(readKeyFile)),
  ])
  const named = files.map((file) => file.publicKey).filter((key) => key !== undefined)
  const isNamed = (key: ParsedKey) => named.some((name) => name.equals(key.getPublicSSH()))
  const held = agent?.keys ?? []
  const offered = [...held.filter(isNamed), ...held.filter((key) => !isIdentitiesOnly && !isNamed(key))]
  const isHeld = (key: Buffer | undefined) =>
    key !== undefined && held.some((other) => other.getPublicSSH().equals(key))
  const loose = files.filter((file) => !isHeld(file.publicKey))

  const identities: Identities = { attempts: [], tried: [], encrypted: [], exposed: [] }
  if (agent !== undefined && offered.length > 0) {
    identities.attempts.push({ type: 'agent', username, agent: agent.offering(offered) })
    identities.tried.push(`the agent (${offered.length} ${offered.length === 1 ? 'key' : 'keys'})`)
  }
  for (const { file, key, isEncrypted, isExposed } of loose) {
    if (isExposed) {
      identities.exposed.push(file)
      continue
    }
    if (isEncrypted) identities.encrypted.push(file)
    if (key === undefined) continue
    identities.attempts.push({ type: 'publickey', username, key })
    identities.tried.push(file)
  }
  return identities
}

type Agent = { keys: ParsedKey[]; offering: (keys: ParsedKey[]) => BaseAgent }

/** Nothing where no agent answers: that is how most machines are, and one forwarded over a dead connection stays silent. */
async function openAgent(address: string, options: { timeoutMs: number }): Promise<Agent | undefined> {
  const { OpenSSHAgent } = (await import('ssh2')).default
  const agent = new OpenSSHAgent(address)
  const keys = await new Promise<ParsedKey[] | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(undefined), options.timeoutMs)
    agent.getIdentities((error, found) => {
      clearTimeout(timer)
      resolve(error ? undefined : (found as ParsedKey[]))
    })
  })
  if (keys === undefined) return undefined
  const offering = (offered: ParsedKey[]): BaseAgent =>
    Object.assign(agent, {
      getIdentities: (done: (error: undefined, keys: ParsedKey[]) => void) => done(undefined, offered),
    })
  return { keys, offering }
}

type KeyFile = {
  file: string
  /** Where it can be used as it is. */
  key?: ParsedKey
  publicKey?: Buffer
  isEncrypted: boolean
  isExposed: boolean
}

async function readKeyFile(file: string): Promise<KeyFile> {
  const [own, beside, isOpen] = await Promise.all([
    parseFile(file),
    parseFile(`${file}.pub`),
    isOpenToOthers(file),
  ])
  const publicKey = [own, beside].find((key) => key !== undefined && !(key instanceof Error)) as
    | ParsedKey
    | undefined
  const isUsable = own !== undefined && !(own instanceof Error) && own.isPrivateKey()
  const isEncrypted = own instanceof Error && /encrypted/i.test(own.message)
  return {
    file,
    ...(isUsable ? { key: own } : {}),
    ...(publicKey === undefined ? {} : { publicKey: publicKey.getPublicSSH() }),
    isEncrypted,
    isExposed: isOpen && (isUsable || isEncrypted),
  }
}

/** As `ssh` sees it: of files of this user alone, for others' are their owner's business. Windows has no such modes. */
async function isOpenToOthers(file: string): Promise<boolean> {
  const stats = await stat(file).catch(() => undefined)
  return stats !== undefined && stats.uid === process.getuid?.() && (stats.mode & 0o077) !== 0
}

async function parseFile(file: string): Promise<ParsedKey | Error | undefined> {
  const bytes = await readFile(file).catch(() => undefined)
  if (bytes === undefined) return undefined
  const { utils } = (await import('ssh2')).default
  const parsed = utils.parseKey(bytes) as ParsedKey | ParsedKey[] | Error
  return Array.isArray(parsed) ? parsed[0] : parsed
}
