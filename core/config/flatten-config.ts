import type { Config, ConfigSource, Sourced } from './config.ts'

export type ConfigEntry = { key: string; value: string; source: ConfigSource }

/** Every setting that is in force, as `remotes.NAME.KEY` and the like, with where it came from. */
export function flattenConfig(config: Config): ConfigEntry[] {
  const entries: ConfigEntry[] = []
  const add = (key: string, setting: Sourced<string> | undefined) => {
    if (setting !== undefined) entries.push({ key, value: setting.value, source: setting.source })
  }
  add('repository', { value: config.repositoryId, source: 'committed' })
  add('store', config.store)
  add('default', config.defaultRemote)
  for (const remote of config.remotes.values()) {
    for (const [key, setting] of remote.settings) add(`remotes.${remote.name}.${key}`, setting)
  }
  return entries
}
