import type { Document } from 'yaml'
import { VarveError } from '../errors.ts'
import type { ConfigFile } from './config.ts'
import { SWITCH_KEYS } from './config-keys.ts'
import { editConfig } from './edit-config.ts'
import { settingPath } from './setting-path.ts'

/**
 * Sets one value in one config file; `undefined` takes it out, and with a remote's last setting the remote.
 *
 * @throws BAD_CONFIG for a key that this file cannot have, for a value that it does not take, and for
 *   `version` and `repository`, which are fixed.
 */
export async function setConfigValue(
  file: ConfigFile,
  dottedKey: string,
  value: string | undefined,
): Promise<void> {
  const path = settingPath(dottedKey, file.source)
  if (path[0] === 'version' || path[0] === 'repository') {
    throw new VarveError('BAD_CONFIG', `${path[0]} cannot be changed`)
  }
  await editConfig(file, (document) => {
    if (value === undefined) removeSetting(document, path)
    else addSetting(document, path, value)
  })
}

/** A map that was written down with nothing in it (`remotes:`) is null in YAML, and takes no keys. */
function addSetting(document: Document, path: readonly string[], value: string): void {
  for (let depth = 1; depth < path.length; depth++) {
    const at = path.slice(0, depth)
    if (document.getIn(at) === null) document.deleteIn(at)
  }
  const isSwitch = SWITCH_KEYS.includes(path.at(-1)!) && /^(true|false)$/.test(value)
  document.setIn(path, isSwitch ? value === 'true' : value)
}

/** Takes out the setting, then each map that this leaves empty. */
function removeSetting(document: Document, path: readonly string[]): void {
  if (!document.hasIn(path)) return
  document.deleteIn(path)
  for (let depth = path.length - 1; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth)) as { items: readonly unknown[] }
    if (node.items.length > 0) return
    document.deleteIn(path.slice(0, depth))
  }
}
