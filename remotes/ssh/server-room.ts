import { VarveError } from '../../core/errors.ts'
import { SFTP_FAILURE, type SftpChannel, statusOf } from './sftp-channel.ts'

/** Read-only, in the flags of statvfs@openssh.com. */
const READ_ONLY = 0x1
/** The last blocks of a disk are rarely given out to the byte. */
const FULL_BELOW_BYTES = 256 * 1024

/**
 * Looks for what is behind a mere "failure" of a write below `folder`: a filesystem that is full or read-only.
 * Gives `error` back where it is neither, or the server does not tell.
 */
export async function explainFailure(
  error: unknown,
  options: { channel: SftpChannel; folder: string; doing: string },
): Promise<unknown> {
  const { channel, folder, doing } = options
  if (statusOf(error) !== SFTP_FAILURE) return error
  const room = await channel.statvfs(folder).catch(() => undefined)
  if (room === undefined) return error
  if (room.f_flag & READ_ONLY) {
    return new VarveError('NO_PERMISSION', `the filesystem on the server is read-only: ${doing}`, {
      hint: 'Let the server mount it for writing.',
      cause: error,
    })
  }
  const isFull = room.f_bavail * room.f_frsize < FULL_BELOW_BYTES || (room.f_files > 0 && room.f_favail === 0)
  if (!isFull) return error
  return new VarveError('NO_SPACE', `no space left on the server while ${doing}`, {
    hint: 'Free some space there and run the command again; nothing that was stored before is affected.',
    cause: error,
  })
}
