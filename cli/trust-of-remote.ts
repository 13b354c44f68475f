import type { ConfigSource } from '../core/config/config.ts'
import type { TrustedPlaces } from '../core/config/trusted-places.ts'
import { type PlaceToTrust, placeToTrust } from '../remotes/place-to-trust.ts'
import type { RemoteInUse } from './remote-in-use.ts'

export type RemoteTrust = PlaceToTrust & {
  /** Whose word the place is. */
  source: ConfigSource
  isTrusted: boolean
}

/**
 * Whether the place of a remote may see the user's credentials: it may where it comes from the config of this clone,
 * or was allowed in this clone. Undefined where there is no place to be trusted.
 */
export function trustOfRemote(
  remote: Pick<RemoteInUse, 'url' | 'settings' | 'sources'>,
  trusted: TrustedPlaces,
): RemoteTrust | undefined {
  const place = placeToTrust(remote)
  if (place === undefined) return undefined
  const source = remote.sources.get(place.setting) ?? 'committed'
  return { ...place, source, isTrusted: source === 'local' || trusted.has(place) }
}
