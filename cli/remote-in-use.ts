import type { ConfigSource, RemoteConfig } from '../core/config/config.ts'
import { VarveError } from '../core/errors.ts'
import { checkRemoteSettings, isSettingOf } from '../remotes/remote-settings.ts'

/** A remote as both config files together say that it is to be opened. */
export type RemoteInUse = {
  name: string
  url: string
  /** Others than the URL. */
  settings: ReadonlyMap<string, string>
  sources: ReadonlyMap<string, ConfigSource>
}

/**
 * What holds of a remote's settings. One that its kind does not have is left out where the URL comes from the other
 * file: a local URL may lead to a mirror of another kind, and the committed settings go with the committed URL.
 * @throws BAD_CONFIG for a remote without a URL, and as `checkRemoteSettings` does
 */
export function remoteInUse({ name, settings }: RemoteConfig): RemoteInUse {
  const url = settings.get('url')
  if (url === undefined) {
    throw new VarveError('BAD_CONFIG', `the remote ${name} has no url`, {
      hint: `Set it with \`varve remote set ${name} url URL\`.`,
    })
  }
  const used = [...settings].filter(
    ([key, { source }]) => key !== 'url' && (source === url.source || isSettingOf(url.value, key)),
  )
  const values = new Map(used.map(([key, { value }]) => [key, value]))
  checkRemoteSettings({ name, url: url.value, settings: values })
  const sources = new Map([['url', url.source], ...used.map(([key, { source }]) => [key, source] as const)])
  return { name, url: url.value, settings: values, sources }
}
