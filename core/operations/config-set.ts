import type { Config } from '../config/config.ts'
import { findRemote } from '../config/find-remote.ts'
import { setConfigValue } from '../config/set-config-value.ts'
import { VarveError } from '../errors.ts'
import type { Project } from '../project.ts'
import { type ConfigChange, changeConfig } from './config-change.ts'
import { refuseUnsharedDefault } from './remote-default.ts'

/**
 * Sets one value under its dotted key. Gives the config as it is then.
 * @throws BAD_CONFIG for a key or value that the file cannot have; USAGE for `store`; NOT_FOUND for a default that is
 *   no remote
 */
export async function setConfig(
  project: Project,
  setting: { key: string; value: string },
  change: ConfigChange,
): Promise<Config> {
  const { key, value } = setting
  refuseStoreKey(key)
  if (key === 'default') refuseUnsharedDefault(findRemote(project.config, value), change.source)
  return changeConfig(project, change, (file) => setConfigValue(file, key, value))
}

/** Where packs lie may only change while there are none. @throws USAGE */
export function refuseStoreKey(key: string): void {
  if (key !== 'store') return
  throw new VarveError('USAGE', 'the store is not set here', {
    hint: 'Run `varve init --store PATH`; a path inside the git folder is the default one.',
  })
}
