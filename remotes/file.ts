import { randomBytes } from 'node:crypto'
import { lstat, open, stat, unlink, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { VarveError } from '../core/errors.ts'
import type { Key, Remote, Source } from '../core/remote.ts'
import { alreadyExists } from './already-exists.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { DurableFolders, syncFolder } from './file/durable-folders.ts'
import { fileRemoteError, isMissing, systemCode } from './file/file-remote-error.ts'
import { listFolder } from './file/list-folder.ts'
import { openValue } from './file/open-value.ts'
import { publishIfAbsent, publishReplacing } from './file/publish.ts'
import { requireRoot } from './file/require-root.ts'
import { sweepLeftovers } from './file/sweep-leftovers.ts'
import { destroyOnAbort, throwIfAborted } from './interruption.ts'
import { sourceBytes } from './source-bytes.ts'

/**
 * Where values are written before they appear. One folder at the top, and not beside each target: what
 * killed writers leave lies in one place, is no key, and the folders that are listed stay clean.
 */
const TEMPORARY_FOLDER = '.varve-tmp'

/** The first object of a remote: who writes it makes the remote, and may make its folder. */
const FIRST_KEY = 'varve.json'

/**
 * A folder, on this machine or on NFS. No locks: values appear by `rename` or `link`, after an fsync.
 * The folder itself is made only by a write of `varve.json`, and only where its parent exists; else a
 * missing folder is REMOTE_FAILED for every verb, because a disk that is not mounted looks the same.
 */
export function createFileRemote(options: { folder: string }): Remote {
  const root = resolve(options.folder)
  const folders = new DurableFolders(root)
  let hasSwept = false

  async function write(key: Key, source: Source, { ifAbsent, signal }: WriteOptions): Promise<void> {
    const target = join(root, key)
    throwIfAborted(signal, `writing ${key}`)
    if (ifAbsent && (await exists(target))) throw alreadyExists(key, root)
    await folders.ensureRoot({ mayCreate: key === FIRST_KEY })
    await folders.ensure(TEMPORARY_FOLDER)
    const temporary = join(root, TEMPORARY_FOLDER, randomBytes(16).toString('hex'))
    try {
      const { inode, modifiedAtMs } = await writeNewFile(temporary, sourceBytes(key, source, signal))
      if (!hasSwept) {
        hasSwept = true
        await sweepLeftovers(dirname(temporary), modifiedAtMs)
      }
      await folders.ensure(dirname(key))
      throwIfAborted(signal, `writing ${key}`)
      const publish = ifAbsent ? publishIfAbsent : publishReplacing
      await publish({ key, label: root, temporary, inode, target, signal })
      await syncFolder(dirname(target))
    } finally {
      // Gone already where it was renamed; and where it cannot be removed it is in no one's way.
      await unlink(temporary).catch(() => undefined)
    }
  }

  return {
    label: root,

    async stat(key) {
      checkKey(key)
      try {
        const stats = await stat(join(root, key))
        return stats.isFile() ? { key, sizeBytes: stats.size, modifiedAt: stats.mtime } : undefined
      } catch (error) {
        if (!isMissing(error)) throw fileRemoteError(error, `looking for ${key} in ${root}`)
      }
      await requireRoot(root)
      return undefined
    },

    async read(key, { range, signal } = {}) {
      checkKey(key)
      const doing = `reading ${key} in ${root}`
      throwIfAborted(signal, doing)
      try {
        const stream = await openValue(join(root, key), range, doing)
        destroyOnAbort(stream, signal, doing)
        return stream
      } catch (error) {
        if (!isMissing(error)) throw fileRemoteError(error, doing)
        await requireRoot(root)
        throw new VarveError('NOT_FOUND', `no ${key} in ${root}`, { cause: error })
      }
    },

    async write(key, source, { ifAbsent = false, signal } = {}) {
      checkKey(key)
      try {
        await write(key, source, { ifAbsent, signal })
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') throw fileRemoteError(error, `writing ${key} to ${root}`)
        throw new VarveError('REMOTE_FAILED', `the folder ${root} vanished while ${key} was written`, {
          hint: 'Check that the disk or server is still mounted, and run the command again.',
          cause: error,
        })
      }
    },

    async *list(prefix) {
      checkPrefix(prefix)
      try {
        yield* listFolder(root, prefix)
      } catch (error) {
        throw fileRemoteError(error, `listing ${prefix} in ${root}`)
      }
    },

    async remove(key) {
      checkKey(key)
      try {
        await unlink(join(root, key))
      } catch (error) {
        // A folder is no key, so there is none of that name; `unlink` of one answers EISDIR or EPERM.
        if (isMissing(error)) return requireRoot(root)
        if (await isDirectory(join(root, key))) return
        throw fileRemoteError(error, `removing ${key} in ${root}`)
      }
    },
  }
}

type WriteOptions = { ifAbsent: boolean; signal: AbortSignal | undefined }

/** The time is by the filesystem's clock. */
async function writeNewFile(
  path: string,
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ inode: bigint; modifiedAtMs: number }> {
  const handle = await open(path, 'wx')
  try {
    await writeFile(handle, bytes)
    await handle.sync()
    const stats = await handle.stat({ bigint: true })
    return { inode: stats.ino, modifiedAtMs: Number(stats.mtimeMs) }
  } finally {
    await handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return lstat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
