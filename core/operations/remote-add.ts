import { checkRemoteName } from '../config/config-keys.ts'
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
  makeDefault: boolean
}

/**
 * Adds a remote to the config; the first one becomes the default. Nothing is asked of the place itself, and what
 * this clone knew of it is forgotten.
 * @throws ALREADY_EXISTS; BAD_CONFIG for a bad name or a URL with a password in it
 */
export async function addRemote(
  project: Project,
  { name, url, makeDefault, ...change }: AddRemoteOptions,
): Promise<{ isDefault: boolean }> {
  checkRemoteName(name, 'varve remote add')
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
  const config = await changeConfig(project, change, async (file) => {
    await setConfigValue(file, `remotes.${name}.url`, url)
    if (makeDefault || remotes.size === 0) await setConfigValue(file, 'default', name)
  })
  forgetRemote(project, url)
  return { isDefault: defaultRemoteOf(config) === name }
}
