import type { Config, Sourced } from './config.ts'
import { flattenConfig } from './flatten-config.ts'
import { settingPath } from './setting-path.ts'

/**
 * The setting in force under a dotted key, as `flattenConfig` writes it; undefined when it is not set.
 *
 * @throws BAD_CONFIG for a key that no config can have.
 */
export function getConfigValue(config: Config, dottedKey: string): Sourced<string> | undefined {
  settingPath(dottedKey)
  const entry = flattenConfig(config).find(({ key }) => key === dottedKey)
  return entry === undefined ? undefined : { value: entry.value, source: entry.source }
}
