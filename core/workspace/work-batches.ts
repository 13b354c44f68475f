/** Work for threads is handed out in pieces of about this many bytes, so that none waits for another's tail. */
const BATCH_BYTES = 8 << 20
const BATCH_FILES = 512

/** Cuts a list of files into batches; each call of the result gives the next, undefined at the end. */
export function workBatches<T>(files: Iterable<T>, sizeBytesOf: (file: T) => number): () => T[] | undefined {
  const source = files[Symbol.iterator]()
  return () => {
    const batch: T[] = []
    let bytes = 0
    while (bytes < BATCH_BYTES && batch.length < BATCH_FILES) {
      const next = source.next()
      if (next.done) break
      batch.push(next.value)
      bytes += sizeBytesOf(next.value)
    }
    return batch.length > 0 ? batch : undefined
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
