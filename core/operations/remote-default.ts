import type { Config, ConfigSource, RemoteConfig } from '../config/config.ts'
import { findRemote } from '../config/find-remote.ts'
import { setConfigValue } from '../config/set-config-value.ts'
import { VarveError } from '../errors.ts'
import type { Project } from '../project.ts'
import { type ConfigChange, changeConfig } from './config-change.ts'

/** The name of the remote that commands use when none is named; undefined where they would refuse. */
export function defaultRemoteOf(config: Config): string | undefined {
  const set = config.defaultRemote?.value
  if (set !== undefined) return config.remotes.has(set) ? set : undefined
  const [only, ...others] = config.remotes.keys()
  return others.length === 0 ? only : undefined
}

/**
 * Makes a remote the one that commands use when none is named. Gives the one that they use then: another, where the
 * local config has its own default and the committed one was set.
 * @throws NOT_FOUND; USAGE for a committed default that other clones do not have
 */
export async function setDefaultRemote(
  project: Project,
  name: string,
  change: ConfigChange,
): Promise<string | undefined> {
  const remote = findRemote(project.config, name)
  refuseUnsharedDefault(remote, change.source)
  const config = await changeConfig(project, change, (file) => setConfigValue(file, 'default', name))
  return defaultRemoteOf(config)
}

/** @throws USAGE when the committed config would name a remote that only this clone knows */
export function refuseUnsharedDefault(remote: RemoteConfig, source: ConfigSource): void {
  if (source === 'local' || [...remote.settings.values()].some((setting) => setting.source === 'committed')) {
    return
  }
  throw new VarveError('USAGE', `the remote ${remote.name} is known to this clone alone`, {
    hint: `Add --local, so that it is the default of this clone alone.`,
  })
}
