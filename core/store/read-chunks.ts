import type { Digest } from '../content-id.ts'
import { RunReader } from './run-reader.ts'
import type { Store } from './store.ts'

/** Looked up and read together. */
const CHUNKS_AT_ONCE = 256

/**
 * The verified bytes of chunks, one after the other, each valid until the next is asked for.
 * @throws MISSING_BYTES, CORRUPT
 */
export function* readChunks(
  store: Store,
  digests: Iterable<Digest>,
  runs: RunReader = runReaderOf(store),
): Generator<Buffer, void, undefined> {
  for (const some of batches(digests)) {
    const contents = runs.read(
      some.map((digest) => ({ digest, location: store.requireLocation('chunk', digest) })),
    )
    for (const digest of some) {
      // Where the chunk is not good there, another place may have it.
      yield contents.next().value?.raw ?? store.readEntry('chunk', digest)
    }
  }
}

export function runReaderOf(store: Store): RunReader {
  return new RunReader((...where) => store.packs.read(...where))
}

function* batches(digests: Iterable<Digest>): Generator<Digest[]> {
  let batch: Digest[] = []
  for (const digest of digests) {
    batch.push(digest)
    if (batch.length < CHUNKS_AT_ONCE) continue
    yield batch
    batch = []
  }
  yield batch
}
