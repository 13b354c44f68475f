import type { FileEntryWithStats, SFTPWrapper, Stats } from 'ssh2'
import { VarveError } from '../../core/errors.ts'

/** Status codes of the SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02, section 7). */
export const SFTP_NO_SUCH_FILE = 2
export const SFTP_PERMISSION_DENIED = 3
export const SFTP_FAILURE = 4
export const SFTP_BAD_MESSAGE = 5
export const SFTP_UNSUPPORTED = 8

const OPEN_READ = 0x01
/** Write, create, and fail where the name exists. */
const OPEN_NEW = 0x02 | 0x08 | 0x20

export type Handle = Buffer

/** Told when a request goes out and when its answer is there. */
export type Activity = { begin: () => void; end: () => void }

/** As statvfs(3) tells it. */
export type Room = { f_frsize: number; f_bavail: number; f_files: number; f_favail: number; f_flag: number }

type Done<T> = (error?: Error | null, value?: T) => void

/**
 * One SFTP channel, with promises. Requests of a channel are served in the order in which they were made. An
 * error of the server is an Error whose `code` is the status; a connection that was lost is a VarveError.
 */
export class SftpChannel {
  readonly #sftp: SFTPWrapper
  readonly #activity: Activity
  readonly #waiting = new Set<(error: Error) => void>()
  #isOpen = true

  constructor(sftp: SFTPWrapper, activity: Activity) {
    this.#sftp = sftp
    this.#activity = activity
    sftp.on('error', (error: Error) => this.#lose(error))
    sftp.on('close', () => this.#lose())
    sftp.on('end', () => this.#lose())
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(path: string): Promise<Handle> {
    return this.#request((done) => this.#sftp.open(path, OPEN_READ, done), Buffer.isBuffer)
  }

  create(path: string): Promise<Handle> {
    return this.#request((done) => this.#sftp.open(path, OPEN_NEW, done), Buffer.isBuffer)
  }

  close(handle: Handle): Promise<void> {
    return this.#request((done) => this.#sftp.close(handle, done))
  }

  /** The bytes read into `buffer` at `offset`: fewer than asked for are no end of the file, none are. */
  read(
    handle: Handle,
    { buffer, offset, position }: { buffer: Buffer; offset: number; position: number },
  ): Promise<number> {
    return this.#request(
      (done) => this.#sftp.read(handle, buffer, offset, buffer.length - offset, position, done),
      Number.isInteger,
    )
  }

  /** `buffer` must stay as it is until the answer. */
  write(handle: Handle, buffer: Buffer, position: number): Promise<void> {
    return this.#request((done) => this.#sftp.write(handle, buffer, 0, buffer.length, position, done))
  }

  stat(path: string): Promise<Stats> {
    return this.#request((done) => this.#sftp.stat(path, done), isStats)
  }

  lstat(path: string): Promise<Stats> {
    return this.#request((done) => this.#sftp.lstat(path, done), isStats)
  }

  fstat(handle: Handle): Promise<Stats> {
    return this.#request((done) => this.#sftp.fstat(handle, done), isStats)
  }

  readdir(path: string): Promise<FileEntryWithStats[]> {
    return this.#request((done) => this.#sftp.readdir(path, done), areNames)
  }

  mkdir(path: string): Promise<void> {
    return this.#request((done) => this.#sftp.mkdir(path, done))
  }

  unlink(path: string): Promise<void> {
    return this.#request((done) => this.#sftp.unlink(path, done))
  }

  /** By the protocol an error where `to` exists. */
  rename(from: string, to: string): Promise<void> {
    return this.#request((done) => this.#sftp.rename(from, to, done))
  }

  /** Replaces what is at `to` in one step. An extension of OpenSSH, as the next ones. */
  posixRename(from: string, to: string): Promise<void> {
    return this.#request((done) => this.#sftp.ext_openssh_rename(from, to, done))
  }

  hardLink(from: string, to: string): Promise<void> {
    return this.#request((done) => this.#sftp.ext_openssh_hardlink(from, to, done))
  }

  fsync(handle: Handle): Promise<void> {
    return this.#request((done) => this.#sftp.ext_openssh_fsync(handle, done))
  }

  /** Room on the filesystem that `path` lies on. */
  statvfs(path: string): Promise<Room> {
    return this.#request((done) => this.#sftp.ext_openssh_statvfs(path, done as never))
  }

  /** `isAnswer`: whether a server that says that all went well has also given what was asked for. */
  #request<T>(send: (done: Done<T>) => void, isAnswer: (value: unknown) => boolean = () => true): Promise<T> {
    if (!this.#isOpen) return Promise.reject(connectionLost())
    this.#activity.begin()
    return new Promise<T>((resolve, reject) => {
      const settle = () => {
        const isFirst = this.#waiting.delete(fail)
        if (isFirst) this.#activity.end()
        return isFirst
      }
      const fail = (error: Error) => {
        if (settle()) reject(error)
      }
      this.#waiting.add(fail)
      try {
        send((error, value) => {
          if (error)
            fail(typeof (error as { code?: unknown }).code === 'number' ? error : connectionLost(error))
          else if (!isAnswer(value)) fail(noAnswer())
          else if (settle()) resolve(value as T)
        })
      } catch (error) {
        fail(isUnsupported(error) ? Object.assign(error, { code: SFTP_UNSUPPORTED }) : (error as Error))
      }
    })
  }

  #lose(cause?: Error): void {
    this.#isOpen = false
    for (const fail of [...this.#waiting]) fail(connectionLost(cause))
  }
}

/** The status that a server answered with; nothing for any other error. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof VarveError) return undefined
  const { code } = error as { code?: unknown }
  return typeof code === 'number' ? code : undefined
}

/** There is nothing under that path: no such name, or a file stands where a folder would be. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === SFTP_NO_SUCH_FILE
}

export function connectionLost(cause?: unknown): VarveError {
  return new VarveError('REMOTE_FAILED', 'the SSH connection was lost', {
    hint: 'Check the network, and run the command again.',
    retryable: true,
    cause,
  })
}

/** Of a file, its size and time too: without them a value would seem to be empty. */
function isStats(value: unknown): boolean {
  const { mode, size, mtime, isFile } = (value ?? {}) as Partial<Stats>
  if (typeof mode !== 'number' || isFile === undefined) return false
  return !isFile.call(value) || (Number.isSafeInteger(size) && Number.isSafeInteger(mtime))
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry?.filename === 'string' && entry.attrs)
}

function noAnswer(): VarveError {
  return new VarveError('REMOTE_FAILED', 'the server answers something else than it was asked for by SFTP', {
    hint: "Use OpenSSH's SFTP server there.",
  })
}

function isUnsupported(error: unknown): error is Error {
  return error instanceof Error && /does not support/.test(error.message)
}
