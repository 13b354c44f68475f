import { VarveError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import type { ConfigSource } from './config.ts'

export const CONFIG_VERSION = 1

/** The keys at the top of each file. */
export const TOP_KEYS: Readonly<Record<ConfigSource, readonly string[]>> = {
  committed: ['version', 'repository', 'remotes', 'default'],
  local: ['store', 'remotes', 'default'],
}

/** What can be set for a remote; which of it belongs to which kind, the kinds themselves say. */
export const REMOTE_KEYS: readonly string[] = [
  ...['url', 'endpointUrl', 'region', 'forcePathStyle', 'profile', 'storageClass', 'serverSideEncryption'],
  ...['kmsKeyId', 'acl', 'requestPayer'],
]

/** Those that say where a remote is: with another value it may be another place. The URL is the first. */
export const PLACE_KEYS: readonly string[] = ['url', 'endpointUrl', 'region', 'profile']

/** Settings whose text is `true` or `false`, and which stand in YAML as that. */
export const SWITCH_KEYS: readonly string[] = ['forcePathStyle']

const REMOTE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const SECRET_KEY = /secret|passw(or)?d|token|credential|private_?key|access_?key/i
const PASSWORD_IN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@]*:[^/?#]*@/i
/** How the ids of access keys begin at Amazon: whoever pastes one has the secret beside it. */
const ACCESS_KEY_ID = /(?<![A-Z0-9])A[KS]IA[A-Z0-9]{16}(?![A-Z0-9])/

export function isRemoteName(name: string): boolean {
  return REMOTE_NAME.test(name)
}

/** @throws BAD_CONFIG when `key` is not in `known`; says so at `where`, with the key that was probably meant. */
export function checkKey(key: string, known: readonly string[], where: string): void {
  if (known.includes(key)) return
  const shown = JSON.stringify(key)
  if (SECRET_KEY.test(key.replaceAll('-', '_'))) {
    throw new VarveError('BAD_CONFIG', `${where}: ${shown} looks like a secret, and none belongs here`, {
      hint: 'Remove it; give credentials in the way the storage provider reads them, such as its profile or environment.',
    })
  }
  const meant = suggest(key, known)
  throw new VarveError('BAD_CONFIG', `${where}: unknown key ${shown}`, {
    hint:
      meant === undefined
        ? `Use one of: ${known.join(', ')}; or a newer Varve, if it wrote this key.`
        : `Did you mean \`${meant}\`?`,
  })
}

/** @throws BAD_CONFIG when a remote cannot be called that. */
export function checkRemoteName(name: string, where: string): void {
  if (isRemoteName(name)) return
  throw new VarveError('BAD_CONFIG', `${where}: not a name for a remote: ${JSON.stringify(name)}`, {
    hint: 'Use at most 64 letters, digits, dots, dashes and underscores, a letter or digit first.',
  })
}

/**
 * @throws BAD_CONFIG when the value of a remote's setting is empty, unprintable, or carries a secret, which the message
 *   does not repeat.
 */
export function checkRemoteValue(key: string, value: string, where: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (value === '' || /[\u0000-\u001f\u007f]/.test(value)) {
    throw new VarveError('BAD_CONFIG', `${where}: ${key} is empty or has control characters in it`)
  }
  if (PASSWORD_IN_URL.test(value)) {
    const what = key === 'url' ? 'the URL' : key
    throw new VarveError('BAD_CONFIG', `${where}: ${what} has a password in it`, {
      hint: 'Take the password out of the URL; give it in the way the storage provider reads it.',
    })
  }
  if (ACCESS_KEY_ID.test(value)) {
    throw new VarveError('BAD_CONFIG', `${where}: ${key} has an access key in it, and none belongs here`, {
      hint: "Keep keys in the provider's own files or environment; `profile` names one of those in ~/.aws.",
    })
  }
}
