import { EventEmitter } from 'node:events'
import type { SFTPWrapper } from 'ssh2'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { SshLink } from '../../../../remotes/ssh/dial.ts'
import { SshConnection } from '../../../../remotes/ssh/ssh-connection.ts'

const ALIVE_MS = 1000

type OpenChannel = (done: (error: Error | undefined, sftp?: SFTPWrapper) => void) => void

/** A login whose channels are opened by `openChannel`. */
function connectionOf(openChannel: OpenChannel, options: { unforwardIn?: () => void } = {}) {
  const socket = Object.assign(new EventEmitter(), {
    ...{ ref: vi.fn(), unref: vi.fn(), destroy: vi.fn() },
  })
  const client = Object.assign(new EventEmitter(), {
    sftp: openChannel,
    unforwardIn: options.unforwardIn ?? (() => undefined),
  })
  const close = vi.fn()
  const settings = { aliveIntervalMs: ALIVE_MS, aliveCountMax: 3, sshArguments: 'me@box' }
  const connection = new SshConnection({ socket, client, close, settings } as unknown as SshLink)
  return { connection, close }
}

/** A server that never answers. */
const newSftp = () => Object.assign(new EventEmitter(), { stat: () => undefined }) as unknown as SFTPWrapper

describe('a channel', () => {
  test('that has ended is not given out again, though it is not closed yet', async () => {
    const opened: SFTPWrapper[] = []
    const { connection } = connectionOf((done) => {
      const sftp = newSftp()
      opened.push(sftp)
      done(undefined, sftp)
    })
    const first = await connection.borrow()
    first.giveBack()
    opened[0]!.emit('end')
    const second = await connection.borrow()
    expect(second.channel.isOpen).toBe(true)
    expect(opened).toHaveLength(2)
    connection.close()
  })

  test('that ends in the moment in which it opens is not given out', async () => {
    let count = 0
    const { connection } = connectionOf((done) => {
      const sftp = newSftp()
      done(undefined, sftp)
      if (count++ === 0) sftp.emit('end')
    })
    expect((await connection.borrow()).channel.isOpen).toBe(true)
    expect(count).toBe(2)
    connection.close()
  })

  test('that cannot be opened because the server has ended the connection may be tried again', async () => {
    const { connection } = connectionOf(() => {
      throw new Error('Not connected')
    })
    await expect(connection.borrow()).rejects.toMatchObject({ code: 'REMOTE_FAILED', retryable: true })
    connection.close()
  })
})

describe('the watch', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('gives up a connection that the server has ended', async () => {
    const { connection, close } = connectionOf((done) => done(undefined, newSftp()), {
      unforwardIn: () => {
        throw new Error('Not connected')
      },
    })
    const { channel } = await connection.borrow()
    channel.stat('/x').catch(() => undefined)
    vi.advanceTimersByTime(2 * ALIVE_MS)
    expect(connection.isOpen).toBe(false)
    expect(close).toHaveBeenCalledOnce()
  })

  test('gives up a connection that nobody uses, and none that a stream still needs', async () => {
    const { connection, close } = connectionOf((done) => done(undefined, newSftp()))
    const { giveBack } = await connection.borrow()
    vi.advanceTimersByTime(60_000)
    expect(connection.isOpen).toBe(true)
    giveBack()
    vi.advanceTimersByTime(ALIVE_MS)
    expect(connection.isOpen).toBe(false)
    expect(close).toHaveBeenCalledOnce()
  })
})
