import { fromSystemError, VarveError } from '../../core/errors.ts'
import { firstLine } from './connection-error.ts'
import {
  SFTP_BAD_MESSAGE,
  SFTP_FAILURE,
  SFTP_NO_SUCH_FILE,
  SFTP_PERMISSION_DENIED,
  SFTP_UNSUPPORTED,
  statusOf,
} from './sftp-channel.ts'

/** Maps a status of the server to a VarveError; passes through what is one already. */
export function serverError(error: unknown, doing: string): unknown {
  const status = statusOf(error)
  const said = error instanceof Error ? firstLine(error.message) : ''
  switch (status) {
    case undefined:
      return fromSystemError(error, doing)
    case SFTP_PERMISSION_DENIED:
      return new VarveError('NO_PERMISSION', `the server denies permission while ${doing}`, {
        hint: 'Check the owner and mode of that folder on the server.',
        cause: error,
      })
    case SFTP_NO_SUCH_FILE:
      return new VarveError('REMOTE_FAILED', `a folder of the remote vanished while ${doing}`, {
        hint: 'Check that its disk is still mounted on the server, and run the command again.',
        cause: error,
      })
    case SFTP_BAD_MESSAGE:
      return new VarveError('REMOTE_FAILED', `the server does not take that name while ${doing}`, {
        hint: 'Keep the remote on a filesystem that takes names of 255 characters.',
        cause: error,
      })
    case SFTP_UNSUPPORTED:
      return new VarveError('REMOTE_FAILED', `the server cannot do what is needed while ${doing}`, {
        hint: "Use OpenSSH's SFTP server there.",
        cause: error,
      })
    default:
      // The protocol has one word for a full disk, a quota, a broken disk and the rest.
      return new VarveError('REMOTE_FAILED', `the server says ${JSON.stringify(said)} while ${doing}`, {
        hint: 'Check the quota of that user and the state of the disk on the server.',
        retryable: status !== SFTP_FAILURE,
        cause: error,
      })
  }
}
