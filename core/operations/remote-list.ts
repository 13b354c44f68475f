import type { Config, ConfigSource, Sourced } from '../config/config.ts'
import { defaultRemoteOf } from './remote-default.ts'

export type ListedRemote = {
  name: string
  url: string | undefined
  /** Where the URL was read. */
  source: ConfigSource | undefined
  /** Others than the URL. */
  settings: ReadonlyMap<string, Sourced<string>>
  isDefault: boolean
}

/** The remotes of the config, in its order. */
export function listRemotes(config: Config): ListedRemote[] {
  const defaultRemote = defaultRemoteOf(config)
  return [...config.remotes.values()].map(({ name, settings }) => {
    const url = settings.get('url')
    const others = new Map([...settings].filter(([key]) => key !== 'url'))
    return {
      name,
      url: url?.value,
      source: url?.source,
      settings: others,
      isDefault: name === defaultRemote,
    }
  })
}
