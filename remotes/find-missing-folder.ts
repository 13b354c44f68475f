import { dirname } from 'node:path'
import { isFolder, isThere } from './file/require-root.ts'
import { localFolderOf } from './open.ts'
import { parseRemoteUrl } from './remote-url.ts'

/** `label` names the folder as the remote itself does. */
export type MissingFolder = { label: string; canBeMade: boolean }

/**
 * Where the remote is a folder, here or on a server, that is not there: whether the one above it is, so that the first
 * push will make it. Undefined where something is there, for remotes of other kinds, and for a server that cannot be
 * reached now.
 * @throws BAD_CONFIG as `parseRemoteUrl` does; REMOTE_FAILED, NO_PERMISSION where a server lets nobody look
 */
export async function findMissingFolder(
  url: string,
  options: { baseFolder: string },
): Promise<MissingFolder | undefined> {
  const place = parseRemoteUrl(url)
  if (place.kind === 'ssh') {
    const { findMissingServerFolder } = await import('./ssh/find-missing-server-folder.ts')
    const missing = await findMissingServerFolder(place)
    return missing && { label: place.url, ...missing }
  }
  const folder = localFolderOf(url, options)
  if (folder === undefined || (await isThere(folder))) return undefined
  return { label: folder, canBeMade: await isFolder(dirname(folder)) }
}
