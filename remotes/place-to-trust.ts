import { isLoopback } from './http/is-loopback.ts'
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts'

export type PlaceToTrust = {
  kind: 's3' | 'ssh' | 'http' | 'smb'
  /** Scheme, host and port, with SSH the user too: without the path, which says nothing of who is there. */
  origin: string
  /** The setting that names it: where that was read decides whose word it is. */
  setting: 'url' | 'endpointUrl'
  /** Whether the place is of use without credentials: then it may be read before it is trusted. */
  isReadableWithout: boolean
  /** What is sent there can be read on the way. */
  isExposed: boolean
}

/**
 * The host that would be shown the user's credentials if this remote were opened. Undefined where there is none, or
 * where it is the provider's own: Amazon's, whose name no setting can change.
 * @throws BAD_CONFIG as `parseRemoteUrl` does
 */
export function placeToTrust(
  remote: { url: string; settings: ReadonlyMap<string, string> },
  platform: NodeJS.Platform = process.platform,
): PlaceToTrust | undefined {
  const place = parseRemoteUrl(remote.url)
  switch (place.kind) {
    case 'folder': {
      const server = platform === 'win32' ? serverOf(place.path) : undefined
      return server === undefined ? undefined : { kind: 'smb', origin: `smb://${server}`, ...OF_URL }
    }
    case 's3': {
      const endpointUrl = remote.settings.get('endpointUrl')
      // What is no URL is refused where the settings are read.
      if (endpointUrl === undefined || !URL.canParse(endpointUrl)) return undefined
      const { origin, isExposed } = webOrigin(endpointUrl)
      return { kind: 's3', origin, setting: 'endpointUrl', isReadableWithout: false, isExposed }
    }
    case 'ssh':
      return { kind: 'ssh', origin: sshOrigin(place), ...OF_URL }
    case 'http':
      return { kind: 'http', setting: 'url', isReadableWithout: true, ...webOrigin(place.url) }
  }
}

const OF_URL = { setting: 'url', isReadableWithout: false, isExposed: false } as const

/**
 * As it is written: what is left out, the user's own configuration of SSH says. An @ in the name of a user is encoded, so
 * that the one that is left stands before the host.
 */
function sshOrigin({ user, host, port }: Extract<RemoteUrl, { kind: 'ssh' }>): string {
  const shownHost = host.includes(':') ? `[${host}]` : host
  return `ssh://${user === undefined ? '' : `${user.replaceAll('@', '%40')}@`}${shownHost}${port === undefined ? '' : `:${port}`}`
}

function webOrigin(url: string): { origin: string; isExposed: boolean } {
  const { origin, protocol, hostname } = new URL(url)
  return { origin, isExposed: protocol !== 'https:' && !isLoopback(hostname) }
}

/**
 * Windows logs in to the server of `\\server\share` by itself, with the user's own name. Devices other than drives may
 * lead to a server too, and count as one.
 */
function serverOf(path: string): string | undefined {
  const name = /^[\\/]{2}(?:[?.][\\/](?:UNC[\\/])?)?([^\\/]+)/i.exec(path)?.[1]?.toLowerCase()
  if (name === undefined || /^[a-z]:$/.test(name)) return undefined
  return name.replace(/[^a-z0-9._@-]/gu, (character) => `%${character.codePointAt(0)!.toString(16)}`)
}
