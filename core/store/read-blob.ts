import { ContentHasher, contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { type RecipeRoot, walkRecipe } from '../format/recipe.ts'
import { readChunks, runReaderOf } from './read-chunks.ts'
import type { RunReader } from './run-reader.ts'
import type { Store } from './store.ts'

export type BlobToRead = {
  digest: Digest
  sizeBytes: number
  /** What messages call it. */
  label: string
  /** A recipe of it that is known to be right: the whole need not be hashed beside its chunks. */
  provenRecipe?: RecipeRoot | undefined
}

/**
 * The bytes of a blob in pieces, each valid until the next. A chunk is verified before it is given, the whole once the
 * last one was: whoever passes pieces on as they come must take the error at the end for "what you got is not the file".
 * @throws MISSING_BYTES, CORRUPT, MALFORMED
 */
export function* readBlob(
  store: Store,
  blob: BlobToRead,
  runs: RunReader = runReaderOf(store),
): Generator<Buffer, void, undefined> {
  try {
    yield* pieces(store, blob, runs)
  } catch (error) {
    throw labelled(error, blob)
  }
}

function* pieces(store: Store, blob: BlobToRead, runs: RunReader): Generator<Buffer, void, undefined> {
  const { provenRecipe } = blob
  if (provenRecipe !== undefined) {
    yield* chunks(store, blob, provenRecipe, runs)
    return
  }
  if (store.has('chunk', blob.digest)) {
    const bytes = store.readEntry('chunk', blob.digest)
    if (bytes.length !== blob.sizeBytes) throw wrongBytes(blob)
    yield bytes
    return
  }
  const root = store.recipeOf(blob.digest)
  if (root !== undefined) yield* proving(blob, chunks(store, blob, root, runs))
  else throw missing(blob)
}

function* chunks(
  store: Store,
  blob: BlobToRead,
  root: RecipeRoot,
  runs: RunReader,
): Generator<Buffer, void, undefined> {
  if (root.lengthBytes !== blob.sizeBytes) throw wrongBytes(blob)
  yield* readChunks(
    store,
    walkRecipe(root, (node) => store.readEntry('node', node)),
    runs,
  )
}

/** Passes on what proves to be the blob only when its last piece was taken. */
function* proving(blob: BlobToRead, pieces: Iterable<Buffer>): Generator<Buffer, void, undefined> {
  const hasher = new ContentHasher()
  for (const bytes of pieces) {
    hasher.update(bytes)
    yield bytes
  }
  if (!hasher.digest().equals(blob.digest)) throw wrongBytes(blob)
}

/** What is wrong with a chunk or node deep down is wrong with this file. */
export function labelled(error: unknown, { label }: { label: string }): unknown {
  if (!(error instanceof VarveError) || error.message.startsWith(label)) return error
  const { code, hint, retryable } = error
  return new VarveError(code, `${label}: ${error.message}`, { hint, retryable, cause: error })
}

function wrongBytes({ label, digest }: BlobToRead): VarveError {
  return new VarveError(
    'CORRUPT',
    `${label}: what the store has for ${contentIdFromDigest(digest)} is not that file`,
    { hint: 'Throw away what was read, and run `varve verify --full` to see what is affected.' },
  )
}

function missing({ label, digest }: BlobToRead): VarveError {
  return new VarveError('MISSING_BYTES', `${label} (${contentIdFromDigest(digest)}) is not in the store`, {
    hint: 'Run `varve pull` to fetch it from a remote.',
  })
}
