import { posix } from 'node:path'
import type { FileEntryWithStats, Stats } from 'ssh2'
import { VarveError } from '../../core/errors.ts'
import type { Key, RemoteEntry } from '../../core/remote.ts'
import { isKey, isKeySegment } from '../check-key.ts'
import { requireRealServerFolder, requireServerRoot } from './server-folders.ts'
import { isMissing, SFTP_BAD_MESSAGE, type SftpChannel, statusOf } from './sftp-channel.ts'
import type { SshSession } from './ssh-session.ts'

/** A folder costs four trips one after another: many at once hide them. */
const FOLDERS_AT_ONCE = 16

type Walk = { session: SshSession; root: string }

/** `path` is empty or ends with a slash; `start` is what the names in it have to start with. */
type Folder = { path: string; start: string }

type Contents = { entries: RemoteEntry[]; folders: Folder[] }

/**
 * Every key under `root` that starts with `prefix`; enters only folders that can hold one. Names that no key
 * can have are passed over.
 * @throws REMOTE_FAILED when there is no root, when a folder vanishes while it is walked, or is a link.
 */
export async function* listServerFolder(walk: Walk, prefix: string): AsyncGenerator<RemoteEntry> {
  const parents = prefix.split('/')
  const start = parents.pop() ?? ''
  if (!(await walk.session.use((channel) => hasFolders(channel, walk.root, parents)))) return
  const waiting: Folder[] = [{ path: parents.map((name) => `${name}/`).join(''), start }]
  const reading = new Set<Promise<void>>()
  const read: Contents[] = []
  // While the reader of this listing has an entry in hand, folders may be read to the last one.
  while (waiting.length > 0 || reading.size > 0 || read.length > 0) {
    while (waiting.length > 0 && reading.size < FOLDERS_AT_ONCE) {
      const folder = waiting.pop()!
      const done: Promise<void> = walk.session
        .use((channel) => readFolder(channel, walk.root, folder))
        .then((contents) => {
          read.push(contents)
          reading.delete(done)
        })
      // The first failure ends the walk; those after it are nobody's.
      done.catch(() => undefined)
      reading.add(done)
    }
    if (read.length === 0) await Promise.race(reading)
    for (const { entries, folders } of read.splice(0)) {
      for (const folder of folders) waiting.push(folder)
      yield* entries
    }
  }
}

/** Whether each folder on the way is there; all are asked for together. */
async function hasFolders(channel: SftpChannel, root: string, names: string[]): Promise<boolean> {
  const paths = names.map((_, at) => posix.join(root, ...names.slice(0, at + 1)))
  const [, ...found] = await Promise.all([
    requireServerRoot(channel, root),
    ...paths.map((path) => hasFolder(channel, path)),
  ])
  return found.every(Boolean)
}

async function hasFolder(channel: SftpChannel, path: string): Promise<boolean> {
  try {
    const stats = await channel.lstat(path)
    if (stats.isSymbolicLink()) await requireRealServerFolder(channel, path)
    return stats.isDirectory()
  } catch (error) {
    // A name that is too long for the server is one that it does not have.
    if (isMissing(error) || statusOf(error) === SFTP_BAD_MESSAGE) return false
    throw error
  }
}

async function readFolder(channel: SftpChannel, root: string, { path, start }: Folder): Promise<Contents> {
  const contents: Contents = { entries: [], folders: [] }
  const unclear: Key[] = []
  for (const { filename, attrs } of await readNames(channel, posix.join(root, path))) {
    const key = `${path}${filename}`
    if (!filename.startsWith(start) || !isKeySegment(filename) || !isKey(key)) continue
    if (!sort(contents, key, attrs)) unclear.push(key)
  }
  // Links, and names of which this server does not tell more.
  await Promise.all(unclear.map((key) => sortUnclear(contents, { channel, root, key })))
  return contents
}

function sort({ entries, folders }: Contents, key: Key, attrs: Stats): boolean {
  if (attrs.isDirectory()) folders.push({ path: `${key}/`, start: '' })
  else if (attrs.isFile() && Number.isSafeInteger(attrs.size) && Number.isSafeInteger(attrs.mtime))
    entries.push(entryOf(key, attrs))
  else return false
  return true
}

/** Adds nothing for what was removed since its name was read, a link to nowhere, and what is no file. */
async function sortUnclear(
  contents: Contents,
  { channel, root, key }: { channel: SftpChannel; root: string; key: Key },
): Promise<void> {
  const path = posix.join(root, key)
  try {
    const stats = await channel.stat(path)
    if (stats.isDirectory()) await requireRealServerFolder(channel, path)
    sort(contents, key, stats)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

async function readNames(channel: SftpChannel, path: string): Promise<FileEntryWithStats[]> {
  try {
    return await channel.readdir(path)
  } catch (error) {
    // No one removes folders of a remote: when one goes, the disk is going, and the listing would be cut.
    if (!isMissing(error)) throw error
    throw new VarveError('REMOTE_FAILED', `a folder of the remote vanished while it was listed: ${path}`, {
      hint: 'Check that its disk is still mounted on the server, and run the command again.',
      retryable: true,
      cause: error,
    })
  }
}

/** SFTP tells times in whole seconds. */
export function entryOf(key: Key, stats: Stats): RemoteEntry {
  return { key, sizeBytes: stats.size, modifiedAt: new Date(stats.mtime * 1000) }
}
