import { checkRemoteName, checkRemoteValue } from '../config/config-keys.ts'
import { setConfigValue } from '../config/set-config-value.ts'
import { VarveError } from '../errors.ts'
import type { Project } from '../project.ts'
import { type ConfigChange, changeConfig } from './config-change.ts'
import { forgetRemote } from './forget-remote.ts'
import { defaultRemoteOf } from './remote-default.ts'

export type AddRemoteOptions = ConfigChange & {
  name: string
  /** As it is to be stored: a relative path starts at the root. */
  url: string
  /** Others than the URL. */
  settings?: ReadonlyMap<string, string>
  makeDefault: boolean
}

/**
 * Adds a remote to the config; the first one becomes the default. Nothing is asked of the place itself, and what
 * this clone knew of it is forgotten.
 * @throws ALREADY_EXISTS; BAD_CONFIG for a bad name, or a value with a secret in it
 */
export async function addRemote(
  project: Project,
  { name, url, settings = new Map(), makeDefault, ...change }: AddRemoteOptions,
): Promise<{ isDefault: boolean }> {
  checkRemoteName(name, 'remote add')
  const { remotes } = project.config
  const there = remotes.get(name)
  if (there !== undefined) {
    const local = change.source === 'local' ? ' --local' : ''
    throw new VarveError(
      'ALREADY_EXISTS',
      `there is a remote ${name} already: ${there.settings.get('url')?.value ?? 'without a URL'}`,
      { hint: `Use another name, or change it with \`varve remote set ${name} url URL${local}\`.` },
    )
  }
  const all = new Map([['url', url], ...settings])
  for (const [key, value] of all) checkRemoteValue(key, value, 'remote add')
  const config = await changeConfig(project, change, async (file) => {
    for (const [key, value] of all) await setConfigValue(file, `remotes.${name}.${key}`, value)
    if (makeDefault || remotes.size === 0) await setConfigValue(file, 'default', name)
  })
  const added = config.remotes.get(name)
  if (added !== undefined) forgetRemote(project, added.settings)
  return { isDefault: defaultRemoteOf(config) === name }
}
