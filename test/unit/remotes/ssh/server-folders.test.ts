import type { Stats } from 'ssh2'
import { expect, test } from 'vitest'
import { ServerFolders } from '../../../../remotes/ssh/server-folders.ts'
import {
  SFTP_FAILURE,
  SFTP_NO_SUCH_FILE,
  SFTP_PERMISSION_DENIED,
  type SftpChannel,
} from '../../../../remotes/ssh/sftp-channel.ts'

const status = (code: number) => Object.assign(new Error('status'), { code })

/** A server on which `mkdir` fails with `code`, and the folder is there from then on or not. */
function channelWith(code: number, options: { isThereAfterwards: boolean }): SftpChannel {
  let isThere = false
  return {
    stat: async () => {
      if (!isThere) throw status(SFTP_NO_SUCH_FILE)
      return { isDirectory: () => true } as Stats
    },
    mkdir: async () => {
      isThere = options.isThereAfterwards
      throw status(code)
    },
  } as unknown as SftpChannel
}

const ensureRoot = (channel: SftpChannel) => new ServerFolders('/r').ensureRoot(channel, { mayCreate: true })

test('a root that another writer makes in the same moment is as good', async () => {
  await expect(ensureRoot(channelWith(SFTP_FAILURE, { isThereAfterwards: true }))).resolves.toBeUndefined()
})

test('a root whose parent is missing is not made', async () => {
  await expect(
    ensureRoot(channelWith(SFTP_NO_SUCH_FILE, { isThereAfterwards: false })),
  ).rejects.toMatchObject({
    code: 'REMOTE_FAILED',
    message: expect.stringContaining('is not there on the server'),
  })
})

test('a root that may not be made says so', async () => {
  await expect(
    ensureRoot(channelWith(SFTP_PERMISSION_DENIED, { isThereAfterwards: false })),
  ).rejects.toMatchObject({ code: SFTP_PERMISSION_DENIED })
})
