import { posix } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import { isMissing, type SftpChannel } from './sftp-channel.ts'

/** Makes the folders of a remote on the server. */
export class ServerFolders {
  readonly #root: string
  /**
   * Relative paths that this process has seen. One that vanishes later is not made again: the disk under
   * it may have been unmounted, and the rest of a push would go to the wrong place.
   */
  readonly #known = new Map<string, Promise<void>>()

  constructor(root: string) {
    this.#root = root
  }

  /**
   * Makes the root itself where `mayCreate` allows it and its parent exists.
   * @throws REMOTE_FAILED when there is no root and none may be made.
   */
  async ensureRoot(channel: SftpChannel, { mayCreate }: { mayCreate: boolean }): Promise<void> {
    if (this.#known.has('.')) return
    if (mayCreate && (await whatIsAt(channel, this.#root)) !== 'folder') {
      await channel.mkdir(this.#root).catch(async (error: unknown) => {
        // A missing parent, or a file there, of which the next line tells; or another writer that was faster.
        if (!isMissing(error) && (await whatIsAt(channel, this.#root)) === 'nothing') throw error
      })
    }
    await requireServerRoot(channel, this.#root)
    this.#known.set('.', Promise.resolve())
  }

  /** `folder` is relative to the root, with slashes; the root itself is `.`. */
  ensure(channel: SftpChannel, folder: string): Promise<void> {
    if (folder === '.') return Promise.resolve()
    const known = this.#known.get(folder)
    if (known !== undefined) return known
    const made = this.#make(channel, folder)
    this.#known.set(folder, made)
    made.catch(() => this.#known.delete(folder))
    return made
  }

  async #make(channel: SftpChannel, folder: string): Promise<void> {
    await this.ensure(channel, posix.dirname(folder))
    const path = posix.join(this.#root, folder)
    // Sent together. What mkdir says where the name exists differs from server to server: lstat decides.
    const made = channel.mkdir(path)
    made.catch(() => undefined)
    try {
      await requireRealServerFolder(channel, path)
    } catch (error) {
      if (isMissing(error)) await made
      throw error
    }
  }
}

/** @throws REMOTE_FAILED when `path` is a link or a file: nothing is written or listed through a link. */
export async function requireRealServerFolder(channel: SftpChannel, path: string): Promise<void> {
  const stats = await channel.lstat(path)
  if (stats.isDirectory()) return
  const what = stats.isSymbolicLink() ? 'a symbolic link' : 'a file'
  throw new VarveError('REMOTE_FAILED', `${what} stands where the remote needs a folder: ${path}`, {
    hint: 'Put the folder itself there.',
  })
}

/**
 * A folder that is not there is never an empty remote: it may be a disk that is not mounted, and a push or gc
 * that took it for empty would do harm.
 * @throws REMOTE_FAILED when `root` is no folder.
 */
export async function requireServerRoot(channel: SftpChannel, root: string): Promise<void> {
  const found = await whatIsAt(channel, root)
  if (found === 'folder') return
  if (found === 'other') {
    throw new VarveError('REMOTE_FAILED', `what the remote names on the server is no folder: ${root}`, {
      hint: 'Give it the path of a folder, with `varve remote set`.',
    })
  }
  throw new VarveError('REMOTE_FAILED', `the folder of the remote is not there on the server: ${root}`, {
    hint: 'Mount it if it lies on another disk; create it if it is new.',
  })
}

/** Follows a link: a root may be one. */
export async function whatIsAt(channel: SftpChannel, path: string): Promise<'folder' | 'nothing' | 'other'> {
  try {
    return (await channel.stat(path)).isDirectory() ? 'folder' : 'other'
  } catch (error) {
    if (isMissing(error)) return 'nothing'
    throw error
  }
}
