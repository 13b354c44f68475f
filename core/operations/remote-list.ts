import type { Config, ConfigSource } from '../config/config.ts'
import { defaultRemoteOf } from './remote-default.ts'

export type ListedRemote = {
  name: string
  url: string | undefined
  /** Where the URL was read. */
  source: ConfigSource | undefined
  isDefault: boolean
}

/** The remotes of the config, in its order. */
export function listRemotes(config: Config): ListedRemote[] {
  const defaultRemote = defaultRemoteOf(config)
  return [...config.remotes.values()].map(({ name, settings }) => {
    const url = settings.get('url')
    return { name, url: url?.value, source: url?.source, isDefault: name === defaultRemote }
  })
}
