import { VarveError } from '../core/errors.ts'
import { parseRemoteUrl, type RemoteUrl } from './remote-url.ts'
import { parseS3Settings, S3_SETTING_NAMES } from './s3/s3-settings.ts'

/** What can be set beside the URL. */
const SETTINGS_OF: Readonly<Record<RemoteUrl['kind'], readonly string[]>> = {
  folder: [],
  s3: S3_SETTING_NAMES,
  ssh: [],
  http: [],
}

const NAME_OF: Readonly<Record<RemoteUrl['kind'], string>> = {
  folder: 'a folder',
  s3: 'an S3 bucket',
  ssh: 'a folder over SSH',
  http: 'a web server',
}

/** Whether a remote of this URL's kind has such a setting. @throws BAD_CONFIG as `parseRemoteUrl` does */
export function isSettingOf(url: string, key: string): boolean {
  return key === 'url' || SETTINGS_OF[parseRemoteUrl(url).kind].includes(key)
}

/**
 * Checks what a config says of one remote beside its URL. `settings` may have the URL among them.
 * @throws BAD_CONFIG for a setting that remotes of this kind do not have, and for a value that it cannot have
 */
export function checkRemoteSettings(remote: {
  name: string
  url: string
  settings: ReadonlyMap<string, string>
}): void {
  const { name, url, settings } = remote
  const { kind } = parseRemoteUrl(url)
  for (const key of settings.keys()) {
    if (isSettingOf(url, key)) continue
    throw new VarveError('BAD_CONFIG', `the remote ${name} is ${NAME_OF[kind]}, which has no ${key}`, {
      hint: `Leave it out; where it is set already, \`varve remote set ${name} ${key} --unset\` takes it out.`,
    })
  }
  if (kind !== 's3') return
  try {
    checkRegion(settings.get('region'))
    parseS3Settings(settings)
    checkHost(settings.get('endpointUrl'))
  } catch (error) {
    throw error instanceof VarveError ? named(error, name) : error
  }
}

/** A region becomes a part of the name of Amazon's host: with a dot or a slash in it, of another host. */
function checkRegion(region: string | undefined): void {
  if (region === undefined || /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(region)) return
  throw new VarveError('BAD_CONFIG', `region cannot be ${JSON.stringify(region)}`, {
    hint: 'Use letters, digits and dashes, as in eu-central-1.',
  })
}

/** @throws BAD_CONFIG for a host that a program could take for an option */
function checkHost(endpointUrl: string | undefined): void {
  if (endpointUrl === undefined || !new URL(endpointUrl).hostname.startsWith('-')) return
  throw new VarveError('BAD_CONFIG', 'endpointUrl names a host that begins with a dash', {
    hint: 'Write https://host or https://host:port.',
  })
}

function named(error: VarveError, name: string): VarveError {
  return new VarveError(error.code, `the remote ${name}: ${error.message}`, {
    hint: error.hint?.replaceAll('NAME', name),
    cause: error,
  })
}
