import { contentIdFromDigest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { RecipeEntry } from '../format/recipe.ts'
import { RunReader } from './run-reader.ts'
import type { Store } from './store.ts'

/** Looked up together. */
const CHUNKS_AT_ONCE = 256

/**
 * The bytes of chunks, each chunk verified, in pieces as large as they come out of the packs: a call for a mebibyte
 * costs little more than one for a chunk. A piece is valid until the next one is asked for.
 * @throws MISSING_BYTES, CORRUPT
 */
export function* readChunks(
  store: Store,
  chunks: Iterable<RecipeEntry>,
  runs: RunReader = runReaderOf(store),
): Generator<Buffer, void, undefined> {
  for (const some of batches(chunks)) {
    const entries = some.map(({ digest }) => ({ digest, location: store.requireLocation('chunk', digest) }))
    let index = 0
    for (const run of runs.readRuns(entries)) {
      const pieces = run.map(({ raw }) => {
        const { digest, lengthBytes } = some[index++]!
        // Where the chunk is not good there, another place may have it.
        const bytes = raw ?? store.readEntry('chunk', digest)
        if (bytes.length !== lengthBytes) throw otherLength(some[index - 1]!, bytes.length)
        return bytes
      })
      yield* joined(pieces)
    }
  }
}

export function runReaderOf(store: Store): RunReader {
  return new RunReader((...where) => store.packs.read(...where))
}

function* batches(chunks: Iterable<RecipeEntry>): Generator<RecipeEntry[]> {
  let batch: RecipeEntry[] = []
  for (const chunk of chunks) {
    batch.push(chunk)
    if (batch.length < CHUNKS_AT_ONCE) continue
    yield batch
    batch = []
  }
  yield batch
}

/** Views that follow each other in memory become one. */
function* joined(pieces: readonly Buffer[]): Generator<Buffer> {
  let [current] = pieces
  for (const piece of pieces.slice(1)) {
    const follows =
      piece.buffer === current!.buffer && piece.byteOffset === current!.byteOffset + current!.length
    if (follows) {
      current = Buffer.from(piece.buffer, current!.byteOffset, current!.length + piece.length)
    } else {
      yield current!
      current = piece
    }
  }
  if (current !== undefined) yield current
}

function otherLength({ digest, lengthBytes }: RecipeEntry, actual: number): VarveError {
  const id = contentIdFromDigest(digest)
  return new VarveError('CORRUPT', `chunk ${id} has ${actual} bytes, where its recipe says ${lengthBytes}`, {
    hint: 'Run `varve verify --full` to see what is affected.',
  })
}
