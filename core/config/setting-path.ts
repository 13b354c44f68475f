import { VarveError } from '../errors.ts'
import type { ConfigSource } from './config.ts'
import { checkKey, checkRemoteName, REMOTE_KEYS, TOP_KEYS } from './config-keys.ts'

/**
 * The place of a setting in a config file, from its dotted key: `default`, `store`, or `remotes.NAME.KEY`,
 * where NAME may itself have dots in it.
 *
 * @throws BAD_CONFIG for a key that the file (or, without `source`, either file) cannot have, with the key
 *   that was probably meant.
 */
export function settingPath(dottedKey: string, source?: ConfigSource): readonly string[] {
  const known = source === undefined ? [...TOP_KEYS.committed, ...TOP_KEYS.local] : TOP_KEYS[source]
  const where = `config key ${JSON.stringify(dottedKey)}`
  const [top, ...rest] = dottedKey.split('.') as [string, ...string[]]
  checkKey(top, [...new Set(known)], where)
  if (top !== 'remotes') {
    if (rest.length === 0) return [top]
    throw new VarveError('BAD_CONFIG', `${where}: ${top} is a single value`)
  }
  const key = rest.pop()
  if (key === undefined || rest.length === 0) {
    throw new VarveError('BAD_CONFIG', `${where}: incomplete`, { hint: 'Write it as `remotes.NAME.KEY`.' })
  }
  const name = rest.join('.')
  checkRemoteName(name, where)
  checkKey(key, REMOTE_KEYS, where)
  return [top, name, key]
}
