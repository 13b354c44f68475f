import { dial } from './dial.ts'
import type { SftpChannel } from './sftp-channel.ts'
import { type BorrowedChannel, SshConnection } from './ssh-connection.ts'
import type { SshEnvironment } from './ssh-environment.ts'
import type { SshPlace } from './ssh-place.ts'

/** Reaches one place: logs in when it is first used, and again when the connection was lost. */
export class SshSession {
  readonly #place: SshPlace
  readonly #environment: SshEnvironment
  #connection: Promise<SshConnection> | undefined

  constructor(place: SshPlace, environment: SshEnvironment) {
    this.#place = place
    this.#environment = environment
  }

  /** Runs `work` on a channel that few others use. @throws VarveError when the server cannot be reached. */
  async use<T>(work: (channel: SftpChannel) => Promise<T>): Promise<T> {
    const { channel, giveBack } = await this.borrow()
    try {
      return await work(channel)
    } finally {
      giveBack()
    }
  }

  /** For work that lasts longer than a call: a stream. */
  async borrow(): Promise<BorrowedChannel> {
    return (await this.#connect()).borrow()
  }

  /** For who is done long before the process ends; a later request logs in again. */
  async close(): Promise<void> {
    const connection = await this.#connection?.catch(() => undefined)
    connection?.close()
  }

  async #connect(): Promise<SshConnection> {
    const current = this.#connection
    const connection = await current?.catch(() => undefined)
    if (connection?.isOpen) return connection
    // Of those who found it lost, the first dials; the others wait for the same login.
    if (this.#connection === current) {
      this.#connection = dial(this.#place, this.#environment).then((link) => new SshConnection(link))
    }
    return this.#connection!
  }
}
