/** Work for threads is handed out in pieces of about this many bytes, so that none waits for another's tail. */
const BATCH_BYTES = 8 << 20
const BATCH_FILES = 512

/** Cuts files into batches. What is put in is asked for when its turn comes: there may be millions. */
export class WorkBatches<T> {
  readonly #sizeBytesOf: (file: T) => number
  /** The first of them may be spent: taking it off each time would move all others. */
  #sources: Iterator<T>[] = []
  #spent = 0

  constructor(sizeBytesOf: (file: T) => number) {
    this.#sizeBytesOf = sizeBytesOf
  }

  add(files: Iterable<T>): void {
    this.#sources.push(files[Symbol.iterator]())
  }

  /** Undefined when there are no more. */
  next(): T[] | undefined {
    const batch: T[] = []
    let bytes = 0
    while (bytes < BATCH_BYTES && batch.length < BATCH_FILES && this.#spent < this.#sources.length) {
      const next = this.#sources[this.#spent]!.next()
      if (next.done) {
        this.#skipSpent()
        continue
      }
      batch.push(next.value)
      bytes += this.#sizeBytesOf(next.value)
    }
    return batch.length > 0 ? batch : undefined
  }

  #skipSpent(): void {
    if (++this.#spent * 2 <= this.#sources.length) return
    this.#sources = this.#sources.slice(this.#spent)
    this.#spent = 0
  }
}

/** Starting a thread costs some 50 ms: below this much work it does not pay. */
const LIGHT_BYTES = 4 << 20
const LIGHT_FILES = 200

/** How many threads pay for this much work: 0 is this thread alone. */
export function threadsFor(work: { files: number; bytes: number }, threads: number): number {
  if (work.files <= LIGHT_FILES && work.bytes <= LIGHT_BYTES) return 0
  return threads
}
