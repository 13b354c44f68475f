import { Readable } from 'node:stream'
import type { OnProgress } from '../../progress.ts'

const REPORT_MS = 100
const MOST_READ_AHEAD_BYTES = 1 << 20

type SentFile = { sizeBytes: number; pieces: () => AsyncIterable<Buffer> }

/** How far sending some files has come. One that is sent again, after a failure, counts once. */
export class SendingProgress {
  readonly #onProgress: OnProgress | undefined
  readonly #bytesTotal: number
  /** The bytes read of files that are on their way, since they were last opened. */
  readonly #underWay = new Map<SentFile, number>()
  #finishedBytes = 0
  readonly #timer: NodeJS.Timeout

  constructor(bytesTotal: number, onProgress: OnProgress | undefined) {
    this.#bytesTotal = bytesTotal
    this.#onProgress = onProgress
    this.#timer = setInterval(() => this.report(), REPORT_MS)
    this.#timer.unref()
    this.report()
  }

  get finishedBytes(): number {
    return this.#finishedBytes
  }

  open(file: SentFile): Readable {
    this.#underWay.set(file, 0)
    return Readable.from(this.#counted(file), { objectMode: false, highWaterMark: MOST_READ_AHEAD_BYTES })
  }

  finish(file: SentFile): void {
    this.#underWay.delete(file)
    this.#finishedBytes += file.sizeBytes
    this.report()
  }

  async *#counted(file: SentFile): AsyncGenerator<Buffer, void, undefined> {
    let bytesRead = 0
    for await (const piece of file.pieces()) {
      bytesRead += piece.length
      this.#underWay.set(file, bytesRead)
      yield piece
    }
  }

  report(): void {
    let bytesDone = this.#finishedBytes
    for (const bytesRead of this.#underWay.values()) bytesDone += bytesRead
    const bytesTotal = Math.max(this.#bytesTotal, bytesDone)
    this.#onProgress?.({ phase: 'pushing', bytesDone, bytesTotal })
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
