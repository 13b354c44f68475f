import { posix } from 'node:path'
import { VarveError } from '../../core/errors.ts'
import { serverError } from './server-error.ts'
import { whatIsAt } from './server-folders.ts'
import { readSshEnvironment } from './ssh-environment.ts'
import { checkSshPlace, type SshPlace, serverFolderOf } from './ssh-place.ts'
import { SshSession } from './ssh-session.ts'

/**
 * Whether the first push could make the folder of an SSH remote; undefined where something is there, and where another
 * try may show more: whoever opens the remote tries again, and tells what is wrong.
 * @throws BAD_CONFIG for a place that is none; REMOTE_FAILED, NO_PERMISSION where no login or no look is allowed
 */
export async function findMissingServerFolder(place: SshPlace): Promise<{ canBeMade: boolean } | undefined> {
  checkSshPlace(place)
  const root = serverFolderOf(place.path)
  const session = new SshSession(place, readSshEnvironment())
  try {
    return await session.use(async (channel) => {
      const [own, above] = await Promise.all([
        whatIsAt(channel, root),
        whatIsAt(channel, posix.dirname(root)),
      ])
      return own === 'nothing' ? { canBeMade: above === 'folder' } : undefined
    })
  } catch (error) {
    const told = serverError(error, `looking for ${place.url}`)
    if (told instanceof VarveError && told.retryable) return undefined
    throw told
  } finally {
    await session.close()
  }
}
