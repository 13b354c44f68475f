import { lstat, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import { systemCode } from './file-remote-error.ts'
import { isFolder, requireRoot } from './require-root.ts'

/** Makes the folders of a remote, and makes them durable: each is fsynced into its parent. */
export class DurableFolders {
  readonly #root: string
  /**
   * Relative paths that this process has seen. One that vanishes later is not made again: the disk under
   * it may have been unmounted, and the rest of a push would go to the wrong place.
   */
  readonly #known = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  /**
   * Makes the root itself where `mayCreate` allows it and its parent exists.
   * @throws REMOTE_FAILED when there is no root and none may be made.
   */
  async ensureRoot({ mayCreate }: { mayCreate: boolean }): Promise<void> {
    const parent = dirname(this.#root)
    if (mayCreate && !(await isFolder(this.#root)) && (await isFolder(parent))) {
      await mkdirUnlessThere(this.#root)
      await syncFolder(parent)
    }
    await requireRoot(this.#root)
  }

  /** `folder` is relative to the root, with slashes; the root itself is `.`. */
  async ensure(folder: string): Promise<void> {
    if (folder === '.' || this.#known.has(folder)) return
    await this.ensure(dirname(folder))
    const path = join(this.#root, folder)
    await mkdirUnlessThere(path)
    await requireRealFolder(path)
    // Also where another process has made it: that one may not have come to its own fsync yet.
    await syncFolder(dirname(path))
    this.#known.add(folder)
  }
}

/** @throws REMOTE_FAILED when `path` is a link or a file: nothing is written or listed through a link. */
export async function requireRealFolder(path: string): Promise<void> {
  const stats = await lstat(path)
  if (stats.isDirectory()) return
  const what = stats.isSymbolicLink() ? 'a symbolic link' : 'a file'
  throw new VarveError('REMOTE_FAILED', `${what} stands where the remote needs a folder: ${path}`, {
    hint: 'Put the folder itself there.',
  })
}

/** Some filesystems cannot fsync a folder, and say so in one of these ways; Windows cannot open one. */
const NO_FOLDER_SYNC = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EBADF', 'EISDIR'])

/** Makes the names in a folder survive a power cut, where the filesystem can. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!NO_FOLDER_SYNC.has(systemCode(error) ?? '')) throw error
  } finally {
    await handle.close()
  }
}

async function mkdirUnlessThere(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
}
