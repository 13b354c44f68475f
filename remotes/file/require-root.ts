import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { VarveError } from '../../core/errors.ts'
import { isMissing } from './file-remote-error.ts'

/**
 * A folder that is not there is never an empty remote: it may be a disk or server that is not mounted,
 * and a push or gc that took it for empty would do harm.
 * @throws REMOTE_FAILED when `root` is no folder.
 */
export async function requireRoot(root: string): Promise<void> {
  if (await isFolder(root)) return
  if (await isThere(root)) {
    throw new VarveError('REMOTE_FAILED', `what the remote names is no folder: ${root}`, {
      hint: 'Give it the path of a folder, with `varve remote set`.',
    })
  }
  throw new VarveError('REMOTE_FAILED', `the folder of the remote is not there: ${root}`, {
    hint: 'Mount it if it lies on another disk or server; create it if it is new.',
  })
}

/** Follows a link: a root may be one. */
export async function isFolder(path: string): Promise<boolean> {
  return (await statOf(path))?.isDirectory() ?? false
}

/** Anything, but for a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return (await statOf(path)) !== undefined
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
