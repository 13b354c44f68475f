import { PLACE_KEYS } from '../config/config-keys.ts'
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
 * forgotten: it may have been emptied. Which settings the remote's kind takes, the caller has checked. Gives the local
 * value that still stands before the committed one that was changed.
 * @throws NOT_FOUND, NO_REMOTE, BAD_CONFIG, USAGE as `setConfig` and `unsetConfig` do
 */
export async function setRemote(
  project: Project,
  { name, key, value, ...change }: SetRemoteOptions,
): Promise<string | undefined> {
  const { settings } = findRemote(project.config, name)
  const inForce = settings.get(key)
  const shadow = change.source === 'committed' && inForce?.source === 'local' ? inForce.value : undefined
  const dottedKey = `remotes.${name}.${key}`
  if (value === undefined) {
    await unsetConfig(project, dottedKey, change)
    return shadow
  }
  const { remotes } = await setConfig(project, { key: dottedKey, value }, change)
  if (PLACE_KEYS.includes(key)) {
    // As typed, even where a local value stands before it.
    forgetRemote(project, new Map(remotes.get(name)?.settings).set(key, { value, source: change.source }))
  }
  return shadow
}
