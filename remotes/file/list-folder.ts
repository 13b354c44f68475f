import type { Dirent } from 'node:fs'
import { lstat, opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import type { RemoteEntry } from '../../core/remote.ts'
import { isKeySegment } from '../check-key.ts'
import { requireRealFolder } from './durable-folders.ts'
import { isMissing, systemCode } from './file-remote-error.ts'
import { requireRoot } from './require-root.ts'

/** Enough to hide the latency of a file server, few enough to leave the thread pool to others. */
const STATS_AT_ONCE = 32

/**
 * Every key under `root` that starts with `prefix`; enters only folders that can hold one. Names that
 * no key can have are passed over.
 * @throws REMOTE_FAILED when there is no root, when a folder vanishes while it is walked, or is a link.
 */
export async function* listFolder(
  root: string,
  prefix: string,
): AsyncGenerator<RemoteEntry, void, undefined> {
  await requireRoot(root)
  const segments = prefix.split('/')
  const start = segments.pop() ?? ''
  let folder = ''
  for (const segment of segments) {
    folder += `${segment}/`
    if (!(await hasFolder(join(root, folder.slice(0, -1))))) return
  }
  yield* walk({ root, folder, start })
}

/** `folder` is empty or ends with a slash; `start` is what the names in it have to start with. */
async function* walk(options: { root: string; folder: string; start: string }): AsyncGenerator<RemoteEntry> {
  const { root, folder, start } = options
  const subfolders: string[] = []
  let files: Dirent[] = []
  for await (const entry of await openFolder(root, folder)) {
    if (!entry.name.startsWith(start) || !isKeySegment(entry.name)) continue
    if (entry.isDirectory()) {
      subfolders.push(`${folder}${entry.name}/`)
      continue
    }
    files.push(entry)
    if (files.length < STATS_AT_ONCE) continue
    yield* await entriesOf(root, folder, files)
    files = []
  }
  yield* await entriesOf(root, folder, files)
  for (const subfolder of subfolders) yield* walk({ root, folder: subfolder, start: '' })
}

async function openFolder(root: string, folder: string) {
  const path = join(root, folder)
  try {
    return await opendir(path)
  } catch (error) {
    // No one removes folders of a remote: when one goes, the disk is going, and the listing would be cut.
    if (!isMissing(error)) throw error
    throw new VarveError('REMOTE_FAILED', `a folder of the remote vanished while it was listed: ${path}`, {
      hint: 'Check that the disk or server is still mounted, and run the command again.',
      retryable: true,
      cause: error,
    })
  }
}

async function entriesOf(root: string, folder: string, files: Dirent[]): Promise<RemoteEntry[]> {
  const entries = await Promise.all(files.map((file) => entryOf(root, `${folder}${file.name}`)))
  return entries.filter((entry) => entry !== undefined)
}

/** Nothing for what was removed since its name was read, a link to nowhere, and what is no file. */
async function entryOf(root: string, key: string): Promise<RemoteEntry | undefined> {
  const path = join(root, key)
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) await requireRealFolder(path)
    return stats.isFile() ? { key, sizeBytes: stats.size, modifiedAt: stats.mtime } : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function hasFolder(path: string): Promise<boolean> {
  try {
    const stats = await lstat(path)
    if (stats.isSymbolicLink()) await requireRealFolder(path)
    return stats.isDirectory()
  } catch (error) {
    // A name that is too long for this filesystem is one that it does not have.
    if (isMissing(error) || systemCode(error) === 'ENAMETOOLONG') return false
    throw error
  }
}
