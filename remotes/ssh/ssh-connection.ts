import { VarveError } from '../../core/errors.ts'
import { firstLine } from './connection-error.ts'
import type { SshLink } from './dial.ts'
import { type Activity, connectionLost, SftpChannel } from './sftp-channel.ts'

/** OpenSSH lets ten be open at once unless `MaxSessions` says otherwise. */
const MAX_CHANNELS = 8
const IDLE_MS = 15_000

type Slot = { channel: Promise<SftpChannel>; users: number }

export type BorrowedChannel = { channel: SftpChannel; giveBack: () => void }

/**
 * One login and its SFTP channels. The process may end while no request is on its way. A server that answers
 * nothing while requests wait, not even a question that needs no disk, is given up; so is a connection that
 * nobody has used for a while.
 */
export class SshConnection {
  readonly #link: SshLink
  readonly #slots = new Set<Slot>()
  readonly #watch: NodeJS.Timeout
  #maxChannels = MAX_CHANNELS
  #waiting = 0
  #lastHeardMs = Date.now()
  #lastUsedMs = Date.now()
  #isOpen = true

  constructor(link: SshLink) {
    this.#link = link
    link.socket.unref()
    link.socket.on('data', () => {
      this.#lastHeardMs = Date.now()
    })
    link.client.on('error', () => undefined)
    link.client.once('close', () => this.#closed())
    link.socket.once('close', () => this.#closed())
    this.#watch = setInterval(() => this.#look(), Math.min(link.settings.aliveIntervalMs, IDLE_MS)).unref()
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** A channel that nobody uses, a new one, or where no more can be had the one with the fewest users. */
  async borrow(): Promise<BorrowedChannel> {
    const slot = this.#pick()
    slot.users++
    const giveBack = () => {
      slot.users--
    }
    try {
      const channel = await slot.channel
      if (channel.isOpen) return { channel, giveBack }
      // It may still wait for the other side to close it too.
      this.#slots.delete(slot)
    } catch (error) {
      this.#slots.delete(slot)
      if (!this.#isOpen || this.#slots.size === 0) throw error
      // The server lets no more be open than there are.
      this.#maxChannels = this.#slots.size
    }
    giveBack()
    if (!this.#isOpen) throw connectionLost()
    return this.borrow()
  }

  close(): void {
    this.#closed()
    this.#link.close()
  }

  #pick(): Slot {
    const slots = [...this.#slots]
    const least = slots.reduce<Slot | undefined>(
      (best, slot) => (best === undefined || slot.users < best.users ? slot : best),
      undefined,
    )
    if (least !== undefined && (least.users === 0 || slots.length >= this.#maxChannels)) return least
    const slot: Slot = { channel: this.#openChannel(() => this.#slots.delete(slot)), users: 0 }
    this.#slots.add(slot)
    return slot
  }

  async #openChannel(onClose: () => void): Promise<SftpChannel> {
    const activity = this.#activity
    activity.begin()
    try {
      return await new Promise<SftpChannel>((resolve, reject) => {
        this.#link.client.sftp((error, sftp) => {
          if (error) return reject(error)
          sftp.once('close', onClose)
          // Not a tick later: what ends the channel may stand right behind what opened it.
          resolve(new SftpChannel(sftp, activity))
        })
      })
    } catch (error) {
      throw this.#isOpen && !isLost(error)
        ? noChannel(error, this.#link.settings.sshArguments)
        : connectionLost(error)
    } finally {
      activity.end()
    }
  }

  readonly #activity: Activity = {
    begin: () => {
      if (this.#waiting++ > 0) return
      this.#lastHeardMs = Date.now()
      this.#link.socket.ref()
    },
    end: () => {
      this.#lastUsedMs = Date.now()
      if (--this.#waiting === 0) this.#link.socket.unref()
    },
  }

  #look(): void {
    const { client, settings } = this.#link
    const now = Date.now()
    if (this.#waiting === 0) {
      const isUsed = [...this.#slots].some((slot) => slot.users > 0)
      if (!isUsed && now - this.#lastUsedMs >= IDLE_MS) this.close()
      return
    }
    const silenceMs = now - this.#lastHeardMs
    if (silenceMs >= settings.aliveIntervalMs * settings.aliveCountMax) this.#giveUp()
    else if (silenceMs >= settings.aliveIntervalMs) {
      try {
        // sshd itself answers this, with a refusal: there is nothing of the kind to take back.
        client.unforwardIn('127.0.0.1', 1, () => undefined)
      } catch {
        // The server has ended its side.
        this.#giveUp()
      }
    }
  }

  #giveUp(): void {
    this.#link.socket.destroy()
    this.close()
  }

  #closed(): void {
    this.#isOpen = false
    clearInterval(this.#watch)
  }
}

/** The server has ended its side of the connection, and ours is not closed yet. */
function isLost(error: unknown): boolean {
  return error instanceof Error && error.message === 'Not connected'
}

function noChannel(error: unknown, sshArguments: string): VarveError {
  if (error instanceof VarveError) return error
  const said = error instanceof Error ? firstLine(error.message) : ''
  const isChatter = /packet/i.test(said)
  return new VarveError(
    'REMOTE_FAILED',
    isChatter
      ? 'the server sends text where SFTP should begin'
      : `the server opens no SFTP channel${said === '' ? '' : `: ${said}`}`,
    {
      hint: isChatter
        ? 'Let the login scripts there (.bashrc) print nothing when no one is at a terminal.'
        : `Check that \`sftp ${sshArguments.replace(/^-p/, '-P')}\` works; sshd needs a line "Subsystem sftp".`,
      cause: error,
    },
  )
}
