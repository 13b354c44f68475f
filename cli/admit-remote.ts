import type { RemoteConfig } from '../core/config/config.ts'
import { TrustedPlaces } from '../core/config/trusted-places.ts'
import { VarveError } from '../core/errors.ts'
import type { RemoteSurroundings } from '../core/operations/workbench.ts'
import type { RemoteToOpen } from '../remotes/open.ts'
import { remoteInUse } from './remote-in-use.ts'
import { type RemoteTrust, trustOfRemote } from './trust-of-remote.ts'

/** Whether the user says yes; undefined where nobody can be asked. */
export type Confirm = (question: string) => Promise<boolean | undefined>

/**
 * Lets a remote be opened, unless that would show the user's credentials to a place that only the repository names: then
 * the user is asked, and the answer yes is remembered in this clone.
 * @throws NOT_TRUSTED; BAD_CONFIG as `remoteInUse` does
 */
export async function admitRemote(
  remote: RemoteConfig,
  options: RemoteSurroundings & { confirm: Confirm },
): Promise<RemoteToOpen> {
  const { baseFolder, localFolder, confirm } = options
  const { name, url, settings, sources } = remoteInUse(remote)
  const trusted = await TrustedPlaces.read(localFolder)
  const trust = trustOfRemote({ url, settings, sources }, trusted)
  const toOpen = { name, url, settings, baseFolder, mayAuthenticate: trust?.isTrusted ?? true }
  if (toOpen.mayAuthenticate || trust === undefined || trust.isReadableWithout) return toOpen
  if ((await confirm(questionOf(name, trust))) !== true) throw notTrusted(name, trust)
  await trusted.add(trust)
  return { ...toOpen, mayAuthenticate: true }
}

function questionOf(name: string, { origin, isExposed }: RemoteTrust): string {
  return [
    `The remote ${name} is at ${origin}: varve.yaml says so, and this clone does not trust that place yet.`,
    'Your keys or credentials will be used there.',
    ...(isExposed ? ['Nothing is encrypted on the way there: others can read it, and change it.'] : []),
    'Trust it?',
  ].join('\n')
}

function notTrusted(name: string, { origin }: RemoteTrust): VarveError {
  return new VarveError(
    'NOT_TRUSTED',
    `the remote ${name} is at ${origin}: varve.yaml says so, and this clone does not trust that place`,
    { hint: `If you know it, run \`varve trust ${name}\`: your keys or credentials will be used there.` },
  )
}
