import { expect, test } from 'vitest'
import { explainFailure } from '../../../../remotes/ssh/server-room.ts'
import {
  type Room,
  SFTP_FAILURE,
  SFTP_PERMISSION_DENIED,
  SFTP_UNSUPPORTED,
  type SftpChannel,
} from '../../../../remotes/ssh/sftp-channel.ts'

const MUCH: Room = { f_frsize: 4096, f_bavail: 1_000_000, f_files: 1000, f_favail: 500, f_flag: 0 }

const statusError = (code: number) => Object.assign(new Error('said by the server'), { code })
const failure = statusError(SFTP_FAILURE)

function explain(error: unknown, room: Partial<Room> | Error): Promise<unknown> {
  const statvfs = async () => {
    if (room instanceof Error) throw room
    return { ...MUCH, ...room }
  }
  const channel = { statvfs } as Partial<SftpChannel> as SftpChannel
  return explainFailure(error, { channel, folder: '/data', doing: 'writing a' })
}

test.each([
  ['no block is free', { f_bavail: 0 }, 'NO_SPACE'],
  ['next to none is', { f_bavail: 63 }, 'NO_SPACE'],
  ['no inode is free', { f_favail: 0 }, 'NO_SPACE'],
  ['it is read-only', { f_flag: 1 }, 'NO_PERMISSION'],
])('a failure of a disk where %s', async (_why, room, code) => {
  expect(await explain(failure, room)).toMatchObject({ code, cause: failure })
})

test('a failure stays one where there is room, also on filesystems that do not count inodes', async () => {
  expect(await explain(failure, {})).toBe(failure)
  expect(await explain(failure, { f_files: 0, f_favail: 0 })).toBe(failure)
})

test('a failure stays one where the server does not tell', async () => {
  expect(await explain(failure, statusError(SFTP_UNSUPPORTED))).toBe(failure)
})

test('no other error is explained', async () => {
  const denied = statusError(SFTP_PERMISSION_DENIED)
  expect(await explain(denied, { f_bavail: 0 })).toBe(denied)
  const other = new Error('disk on fire')
  expect(await explain(other, { f_bavail: 0 })).toBe(other)
})
