import { findRemote } from '../config/find-remote.ts'
import type { Project } from '../project.ts'
import type { ConfigChange } from './config-change.ts'
import { setConfig } from './config-set.ts'
import { unsetConfig } from './config-unset.ts'
import { forgetRemote } from './forget-remote.ts'

export type SetRemoteOptions = ConfigChange & {
  name: string
  key: string
  /** Undefined takes the setting out. */
  value: string | undefined
}

/**
 * Changes one setting of a remote that there is. What this clone knew of a place that is set, the same or another, is
 * forgotten: it may have been emptied.
 * @throws NOT_FOUND, NO_REMOTE, BAD_CONFIG, USAGE as `setConfig` and `unsetConfig` do
 */
export async function setRemote(
  project: Project,
  { name, key, value, ...change }: SetRemoteOptions,
): Promise<void> {
  findRemote(project.config, name)
  const dottedKey = `remotes.${name}.${key}`
  if (value === undefined) await unsetConfig(project, dottedKey, change)
  else await setConfig(project, { key: dottedKey, value }, change)
  if (key === 'url' && value !== undefined) forgetRemote(project, value)
}
