type Slot = { takenAt: number }

/** `failed` says nothing of how busy the other side is. */
export type Outcome = 'done' | 'refused' | 'failed'

/** A number of requests at once that halves when one is refused, and grows by one for each round that is done. */
export class RequestSlots {
  readonly #most: number
  readonly #waiting: ((slot: Slot) => void)[] = []
  #limit: number
  #taken = 0
  /** Of all slots that were ever given out. */
  #count = 0
  /** Slots that were taken before the last halving tell nothing new. */
  #halvedAt = 0

  constructor(most: number) {
    this.#most = most
    this.#limit = most
  }

  get limit(): number {
    return Math.floor(this.#limit)
  }

  async take(): Promise<Slot> {
    if (this.#taken < this.limit) return this.#next()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  give(slot: Slot, outcome: Outcome): void {
    this.#taken--
    if (outcome === 'done') this.#limit = Math.min(this.#most, this.#limit + 1 / this.#limit)
    if (outcome === 'refused' && slot.takenAt > this.#halvedAt) {
      this.#limit = Math.max(1, this.#limit / 2)
      this.#halvedAt = this.#count
    }
    while (this.#waiting.length > 0 && this.#taken < this.limit) this.#waiting.shift()!(this.#next())
  }

  #next(): Slot {
    this.#taken++
    return { takenAt: ++this.#count }
  }
}
