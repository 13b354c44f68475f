import { posix } from 'node:path'
import { VarveError } from '../core/errors.ts'
import type { ByteRange, Remote } from '../core/remote.ts'
import { checkKey, checkPrefix } from './check-key.ts'
import { clampRange } from './clamp-range.ts'
import { destroyOnAbort, throwIfAborted } from './interruption.ts'
import { entryOf, listServerFolder } from './ssh/list-server-folder.ts'
import { openServerValue } from './ssh/read-value.ts'
import { serverError } from './ssh/server-error.ts'
import { requireServerRoot, ServerFolders } from './ssh/server-folders.ts'
import { isMissing, type SftpChannel } from './ssh/sftp-channel.ts'
import { readSshEnvironment } from './ssh/ssh-environment.ts'
import { checkSshPlace, type SshPlace, serverFolderOf } from './ssh/ssh-place.ts'
import { SshSession } from './ssh/ssh-session.ts'
import { untilAborted } from './ssh/until-aborted.ts'
import { type ServerTree, writeOnServer } from './ssh/write-on-server.ts'

/**
 * A folder on a server, by SFTP. No locks: values appear by a rename or a link, after an fsync where the server
 * has one. Nothing is reached before the first request, and a connection that was lost is made again by the
 * next one. The folder itself is made only by a write of `varve.json`, and only where its parent exists; else
 * a missing folder is REMOTE_FAILED for every verb, because a disk that is not mounted looks the same.
 * @throws BAD_CONFIG for a place that is none.
 */
export async function createSshRemote(place: SshPlace): Promise<Remote> {
  checkSshPlace(place)
  const label = place.url
  const root = serverFolderOf(place.path)
  const session = new SshSession(place, readSshEnvironment())
  const tree: ServerTree = { root, label, folders: new ServerFolders(root), hasSwept: false }
  const at = (key: string) => posix.join(root, key)

  return {
    label,

    async stat(key) {
      checkKey(key)
      return attempt(`looking for ${key} in ${label}`, () =>
        session.use(async (channel) => {
          const stats = await statOf(channel, at(key))
          if (stats === undefined) await requireServerRoot(channel, root)
          return stats?.isFile() ? entryOf(key, stats) : undefined
        }),
      )
    },

    async read(key, { range, signal } = {}) {
      checkKey(key)
      // A range that is none shows before anything is sent.
      clampRange(range, 0)
      const doing = `reading ${key} in ${label}`
      throwIfAborted(signal, doing)
      return attempt(doing, async () => {
        const opening = open(key, range, doing)
        // One that opens after it was given up is closed.
        const dispose = () =>
          opening.then(
            (stream) => stream.destroy(),
            () => undefined,
          )
        const stream = await untilAborted(opening, signal, doing).catch((error: unknown) => {
          dispose()
          throw error
        })
        destroyOnAbort(stream, signal, doing)
        return stream
      })
    },

    async write(key, source, { ifAbsent = false, signal } = {}) {
      checkKey(key)
      const doing = `writing ${key}`
      throwIfAborted(signal, doing)
      await attempt(`writing ${key} to ${label}`, async () => {
        const borrowing = session.borrow()
        const { channel, giveBack } = await untilAborted(borrowing, signal, doing).catch((error: unknown) => {
          borrowing.then(
            (late) => late.giveBack(),
            () => undefined,
          )
          throw error
        })
        try {
          await writeOnServer({ channel, tree, key, source, ifAbsent, signal })
        } catch (error) {
          if (isMissing(error)) await requireServerRoot(channel, root)
          throw error
        } finally {
          giveBack()
        }
      })
    },

    async *list(prefix) {
      checkPrefix(prefix)
      try {
        yield* listServerFolder({ session, root }, prefix)
      } catch (error) {
        throw serverError(error, `listing ${prefix} in ${label}`)
      }
    },

    async remove(key) {
      checkKey(key)
      await attempt(`removing ${key} in ${label}`, () =>
        session.use(async (channel) => {
          try {
            await channel.unlink(at(key))
          } catch (error) {
            if (isMissing(error)) return requireServerRoot(channel, root)
            // A folder is no key, so there is none of that name.
            if ((await statOf(channel, at(key)))?.isDirectory()) return
            throw error
          }
        }),
      )
    },
  }

  async function open(key: string, range: ByteRange | undefined, doing: string) {
    const { channel, giveBack } = await session.borrow()
    try {
      return await openServerValue({ channel, path: at(key), range, doing, onEnd: giveBack })
    } catch (error) {
      if (!isMissing(error)) throw error
      await requireServerRoot(channel, root)
      throw new VarveError('NOT_FOUND', `no ${key} in ${label}`, { cause: error })
    }
  }
}

async function attempt<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw serverError(error, doing)
  }
}

async function statOf(channel: SftpChannel, path: string) {
  try {
    return await channel.stat(path)
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}
