import { createReadStream, type ReadStream } from 'node:fs'
import type { OnProgress } from '../progress.ts'

const REPORT_MS = 100

type SentFile = { path: string; sizeBytes: number }

/** How far sending some files has come. One that is sent again, after a failure, counts once. */
export class SendingProgress {
  readonly #onProgress: OnProgress | undefined
  readonly #bytesTotal: number
  /** Files that are on their way, as they were last opened. */
  readonly #streams = new Map<SentFile, ReadStream>()
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

  open(file: SentFile): ReadStream {
    const stream = createReadStream(file.path)
    this.#streams.set(file, stream)
    return stream
  }

  finish(file: SentFile): void {
    this.#streams.delete(file)
    this.#finishedBytes += file.sizeBytes
    this.report()
  }

  report(): void {
    let bytesDone = this.#finishedBytes
    for (const stream of this.#streams.values()) bytesDone += stream.bytesRead
    const bytesTotal = Math.max(this.#bytesTotal, bytesDone)
    this.#onProgress?.({ phase: 'pushing', bytesDone, bytesTotal })
  }

  end(): void {
    clearInterval(this.#timer)
  }
}
