import { EventEmitter } from 'node:events'
import type { SFTPWrapper } from 'ssh2'
import { expect, test } from 'vitest'
import { SftpChannel } from '../../../../remotes/ssh/sftp-channel.ts'

/** A channel on which the server says `answer` to everything. */
function channelWith(answer: unknown): SftpChannel {
  const reply = (...args: unknown[]) =>
    (args.at(-1) as (error: undefined, value: unknown) => void)(undefined, answer)
  const sftp = Object.assign(new EventEmitter(), {
    ...{ open: reply, read: reply, stat: reply, lstat: reply, fstat: reply, readdir: reply, mkdir: reply },
  })
  return new SftpChannel(sftp as unknown as SFTPWrapper, { begin: () => undefined, end: () => undefined })
}

const isKind = (kind: 'file' | 'folder') => ({
  isFile: () => kind === 'file',
  isDirectory: () => kind === 'folder',
})
const FILE = { mode: 0o100644, size: 3, mtime: 1, ...isKind('file') }
const FOLDER = { mode: 0o040755, ...isKind('folder') }
const HANDLE = Buffer.from('h')

type Verb = 'open' | 'create' | 'stat' | 'lstat' | 'fstat' | 'readdir' | 'read'

function ask(verb: Verb, answer: unknown): Promise<unknown> {
  const channel = channelWith(answer)
  if (verb === 'fstat') return channel.fstat(HANDLE)
  if (verb === 'read') return channel.read(HANDLE, { buffer: Buffer.alloc(4), offset: 0, position: 0 })
  return channel[verb]('/x')
}

test.each<[Verb, unknown]>([
  ['open', HANDLE],
  ['create', HANDLE],
  ['read', 0],
  ['read', 4],
  ['stat', FILE],
  ['lstat', FOLDER],
  ['fstat', FILE],
  ['readdir', []],
  ['readdir', [{ filename: 'x', longname: '', attrs: FOLDER }]],
])('an answer to %s: %j', async (verb, answer) => {
  expect(await ask(verb, answer)).toBe(answer)
})

test.each<[Verb, unknown]>([
  ['open', undefined],
  ['create', FILE],
  ['read', HANDLE],
  ['read', undefined],
  ['stat', undefined],
  ['stat', HANDLE],
  ['lstat', { size: 3, mtime: 1, ...isKind('file') }],
  ['fstat', { ...FILE, size: undefined }],
  ['fstat', { ...FILE, size: 2 ** 60 }],
  ['stat', { ...FILE, mtime: undefined }],
  ['readdir', HANDLE],
  ['readdir', [undefined]],
  ['readdir', [{ filename: 'x' }]],
])('no answer to %s: %j', async (verb, answer) => {
  await expect(ask(verb, answer)).rejects.toMatchObject({ code: 'REMOTE_FAILED', retryable: false })
})
