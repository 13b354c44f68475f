import type { ConfigSource } from '../core/config/config.ts'
import { readParsedConfig } from '../core/config/read-parsed-config.ts'
import { TrustedPlaces } from '../core/config/trusted-places.ts'
import { configPathsOf, type Project } from '../core/project.ts'
import { type PlaceToTrust, placeToTrust } from '../remotes/place-to-trust.ts'
import { checkRemoteSettings } from '../remotes/remote-settings.ts'
import type { Output } from './render/output.ts'

export type TypedRemote = {
  name: string
  source: ConfigSource
  /** What the user typed, by key, as it is to be stored. */
  changes: ReadonlyMap<string, string>
}

/**
 * Checks what a user wants to set of a remote, together with what the same file says of it already. Gives the place that
 * was typed, if its being used is a question of trust: who types it trusts it, so `trustTypedPlace` follows when it is
 * set.
 * @throws BAD_CONFIG as `checkRemoteSettings` does
 */
export async function checkTypedRemote(
  project: Project,
  { name, source, changes }: TypedRemote,
): Promise<PlaceToTrust | undefined> {
  const parsed = await readParsedConfig({ path: configPathsOf(project.repository)[source], source })
  const settings = new Map([...(parsed?.remotes.get(name) ?? []), ...changes])
  const url = settings.get('url') ?? project.config.remotes.get(name)?.settings.get('url')?.value
  if (url === undefined) return undefined
  checkRemoteSettings({ name, url, settings })
  const place = placeToTrust({ url, settings })
  return place !== undefined && changes.has(place.setting) ? place : undefined
}

/** A place in the config of this clone needs no trust: nobody else has put it there. */
export async function trustTypedPlace(
  project: Project,
  place: PlaceToTrust | undefined,
  { source, output }: { source: ConfigSource; output: Pick<Output, 'warn'> },
): Promise<void> {
  if (place === undefined) return
  if (source === 'committed') await (await TrustedPlaces.read(project.localFolder)).add(place)
  warnOfExposedPlace(place, output)
}

/** Only where more than published bytes goes there. */
export function warnOfExposedPlace(place: PlaceToTrust, output: Pick<Output, 'warn'>): void {
  if (!place.isExposed || place.isReadableWithout) return
  output.warn(`${place.origin} is not encrypted: others can read, and change, what is sent there`)
}
