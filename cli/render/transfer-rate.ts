const TIME_CONSTANT_MS = 3_000
const SAMPLE_MS = 200

/** A rate that forgets: an exponentially weighted mean, in units a second, over about three seconds. */
export class TransferRate {
  #sampledAtMs: number
  #sampledTotal: number
  #perSecond: number | undefined

  constructor(nowMs: number, total: number) {
    this.#sampledAtMs = nowMs
    this.#sampledTotal = total
  }

  update(nowMs: number, total: number): void {
    const elapsedMs = nowMs - this.#sampledAtMs
    if (elapsedMs < SAMPLE_MS) return
    const sample = ((total - this.#sampledTotal) * 1000) / elapsedMs
    const weight = 1 - Math.exp(-elapsedMs / TIME_CONSTANT_MS)
    this.#perSecond =
      this.#perSecond === undefined ? sample : this.#perSecond + weight * (sample - this.#perSecond)
    this.#sampledAtMs = nowMs
    this.#sampledTotal = total
  }

  /** Undefined until there is a first sample. */
  get perSecond(): number | undefined {
    return this.#perSecond
  }
}
