import type { ConfigSource } from '../config/config.ts'
import { readParsedConfig } from '../config/read-parsed-config.ts'
import { setConfigValue } from '../config/set-config-value.ts'
import { settingPath } from '../config/setting-path.ts'
import { VarveError } from '../errors.ts'
import { configPathsOf, type Project } from '../project.ts'
import { type ConfigChange, changeConfig } from './config-change.ts'
import { refuseStoreKey } from './config-set.ts'

/**
 * Takes one value out of one file; what the other file says then holds.
 * @throws NOT_FOUND when that file does not set it; USAGE for the last URL of a remote, and for `store`; BAD_CONFIG for
 *   a key that the file cannot have
 */
export async function unsetConfig(project: Project, key: string, change: ConfigChange): Promise<void> {
  refuseStoreKey(key)
  const path = settingPath(key, change.source)
  const [, name, setting] = path
  if (!(await isSetIn(project, path, change.source))) throw notSet(project, key, change.source)
  const elsewhere = change.source === 'committed' ? 'local' : 'committed'
  if (name !== undefined && setting === 'url' && !(await isSetIn(project, path, elsewhere))) {
    throw new VarveError('USAGE', `the remote ${name} would be left without a URL`, {
      hint: `Set another one, or remove the remote with \`varve remote remove ${name}\`.`,
    })
  }
  await changeConfig(project, change, (file) => setConfigValue(file, key, undefined))
}

async function isSetIn(project: Project, path: readonly string[], source: ConfigSource): Promise<boolean> {
  const parsed = await readParsedConfig({ path: configPathsOf(project.repository)[source], source })
  const [top, name, setting] = path as [string, string, string]
  if (top === 'remotes') return parsed?.remotes.get(name)?.has(setting) ?? false
  if (top === 'default') return parsed?.defaultRemote !== undefined
  // `version` and `repository`: there, and not to be changed.
  return parsed !== undefined
}

function notSet(project: Project, key: string, source: ConfigSource): VarveError {
  const paths = configPathsOf(project.repository)
  const hint =
    source === 'committed'
      ? 'If it is set for this clone alone, add --local.'
      : 'If it is set in varve.yaml, leave out --local.'
  return new VarveError('NOT_FOUND', `${key} is not set in ${paths[source]}`, { hint })
}
