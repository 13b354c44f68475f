/** Below this, memory of its own is cheaper than a wait for the pool. */
const SMALL_BYTES = 256 << 10

/** So many buffers of one size are lent at once: who wants more waits. So memory is bounded, whatever runs beside. */
export class BufferPool {
  readonly #bufferBytes: number
  readonly #free: Buffer[] = []
  readonly #waiting: ((buffer: Buffer) => void)[] = []
  #unmade: number

  constructor(count: number, bufferBytes: number) {
    this.#unmade = count
    this.#bufferBytes = bufferBytes
  }

  /** Give it back with `give`. */
  async take(): Promise<Buffer> {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#unmade > 0) {
      this.#unmade--
      return Buffer.allocUnsafeSlow(this.#bufferBytes)
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(buffer: Buffer): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free.push(buffer)
    else next(buffer)
  }

  /** Lends a buffer of `sizeBytes`, no more than one of the pool has, while `work` runs. */
  async using<T>(sizeBytes: number, work: (buffer: Buffer) => Promise<T>): Promise<T> {
    if (sizeBytes <= SMALL_BYTES) return work(Buffer.allocUnsafeSlow(sizeBytes))
    const buffer = await this.take()
    try {
      return await work(buffer.subarray(0, sizeBytes))
    } finally {
      this.give(buffer)
    }
  }
}
