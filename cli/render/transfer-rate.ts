const TIME_CONSTANT_MS = 3_000
const SAMPLE_MS = 200
/** The first sample is the mean of a longer time: most work begins slowly. */
const FIRST_SAMPLE_MS = 2_000

/** A rate that forgets: an exponentially weighted mean, in units a second, over about three seconds. */
export class TransferRate {
  #sampledAtMs: number
  #sampledTotal: number
  readonly #least: number
  #perSecond: number | undefined

  /** There is no rate before `least` units have come on top of `total`. */
  constructor(nowMs: number, { total, least }: { total: number; least: number }) {
    this.#sampledAtMs = nowMs
    this.#sampledTotal = total
    this.#least = least
  }

  update(nowMs: number, total: number): void {
    const elapsedMs = nowMs - this.#sampledAtMs
    const isFirst = this.#perSecond === undefined
    if (elapsedMs < (isFirst ? FIRST_SAMPLE_MS : SAMPLE_MS)) return
    if (isFirst && total - this.#sampledTotal < this.#least) return
    const sample = ((total - this.#sampledTotal) * 1000) / elapsedMs
    const weight = 1 - Math.exp(-elapsedMs / TIME_CONSTANT_MS)
    this.#perSecond =
      this.#perSecond === undefined ? sample : this.#perSecond + weight * (sample - this.#perSecond)
    this.#sampledAtMs = nowMs
    this.#sampledTotal = total
  }

  /** Undefined until there is a first sample, of two seconds or more. */
  get perSecond(): number | undefined {
    return this.#perSecond
  }
}
