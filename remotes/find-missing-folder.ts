import { dirname } from 'node:path'
import { isFolder } from './file/require-root.ts'
import { localFolderOf } from './open.ts'

/**
 * Where the remote is a folder that is not there: which folder, and whether the one above it is, so that the first
 * push will make it. Undefined for a folder that is there, and for remotes of other kinds.
 * @throws BAD_CONFIG as `parseRemoteUrl` does.
 */
export async function findMissingFolder(
  url: string,
  options: { baseFolder: string },
): Promise<{ folder: string; canBeMade: boolean } | undefined> {
  const folder = localFolderOf(url, options)
  if (folder === undefined || (await isFolder(folder))) return undefined
  return { folder, canBeMade: await isFolder(dirname(folder)) }
}
