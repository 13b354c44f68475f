import { utimesSync } from 'node:fs'
import { chunkLengths } from '../chunking/rot256.ts'
import { DIGEST_BYTES, type Digest, digestOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import { encodeRecipeRoot, RecipeBuilder, type RecipeRoot } from '../format/recipe.ts'
import { DigestSet } from './digest-set.ts'
import { PackWriter, type SealedPack } from './pack-writer.ts'
import { RowBuffer } from './row-buffer.ts'
import type { Store } from './store.ts'
import { packPath, temporaryFolder } from './store-layout.ts'
import { sweepTemporaries } from './temporary-files.ts'

/** Sealed packs are indexed once they hold so many rows, so that a kill costs little of what was written. */
const ROWS_PER_CHECKPOINT = 200_000

/**
 * One process's additions to a store. It decides which entries are new (`claim`), writes metadata itself, takes
 * in the packs that worker threads sealed, and in the end makes it all findable.
 * Nothing may lean on what was added before `finish` returns.
 */
export class StoreWriter {
  readonly #store: Store
  readonly #metadata: PackWriter
  readonly #claimed: Record<EntryKind, DigestSet> = {
    chunk: new DigestSet(),
    node: new DigestSet(),
    recipe: new DigestSet(),
  }
  /** The metadata packs that this run wrote itself. */
  readonly #written: { name: PackName; content: Digest }[] = []
  /** Packs of earlier runs that this one leans on. */
  readonly #leanedOn = new Set<PackName>()
  #rows = new RowBuffer()
  #addedBytes = 0

  constructor(store: Store) {
    this.#store = store
    sweepTemporaries(temporaryFolder(store.root))
    const onSealed = (pack: SealedPack) => {
      this.addPack(pack)
      this.#written.push({ name: pack.name, content: pack.content! })
    }
    this.#metadata = new PackWriter({ root: store.root, class: 'metadata', onSealed })
  }

  /** The bytes of all packs so far. */
  get addedBytes(): number {
    return this.#addedBytes
  }

  /** For each of the digests in `digests`, end to end: 1 where the caller is to write the chunk, 0 where not. */
  claimChunks(digests: Uint8Array): Uint8Array {
    const verdicts = new Uint8Array(digests.length / DIGEST_BYTES)
    for (let i = 0; i < verdicts.length; i++) {
      const digest = digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)
      verdicts[i] = this.#claim('chunk', digest) ? 1 : 0
    }
    return verdicts
  }

  /** Takes in a durable pack. */
  addPack(pack: SealedPack): void {
    this.#rows.addPack(pack.name, pack.rows)
    this.#addedBytes += pack.sizeBytes
    if (this.#rows.count >= ROWS_PER_CHECKPOINT) this.#checkpoint()
  }

  addNode(digest: Digest, bytes: Uint8Array): void {
    if (this.#claim('node', digest)) this.#metadata.append('node', Buffer.from(digest), bytes)
  }

  addRecipe(blob: Digest, root: RecipeRoot): void {
    if (!this.#claimed.recipe.add(blob)) return
    // Another recipe of the blob is no reason to leave this one out: a remote may have brought a lie.
    const location = this.#store.locateRecipe(blob, root)
    if (location === undefined) this.#metadata.append('recipe', Buffer.from(blob), encodeRecipeRoot(root))
    else this.#leanedOn.add(location.pack)
  }

  /** Adds a blob of metadata (a tree listing), whole. */
  addMetadataBlob(bytes: Buffer): Digest {
    const digest = digestOf(bytes)
    const lengths = bytes.length === 0 ? [0] : chunkLengths(bytes)
    if (lengths.length === 1) {
      if (this.#claim('chunk', digest)) this.#metadata.append('chunk', digest, bytes)
      return digest
    }
    const recipe = new RecipeBuilder((node, nodeDigest) => this.addNode(nodeDigest, node))
    let start = 0
    for (const length of lengths) {
      const chunk = bytes.subarray(start, start + length)
      const chunkDigest = digestOf(chunk)
      if (this.#claim('chunk', chunkDigest)) this.#metadata.append('chunk', chunkDigest, chunk)
      recipe.push(chunkDigest, length)
      start += length
    }
    this.addRecipe(digest, recipe.finish())
    return digest
  }

  /** Makes everything that was added durable and findable, and freshens what was leaned on, for gc to see. */
  finish(): void {
    this.#metadata.seal()
    this.#checkpoint()
    this.#store.ownPacks?.note(this.#written)
    for (const pack of this.#leanedOn) freshen(packPath(this.#store.root, pack))
  }

  /** Ends without a result. What was sealed is made findable, so that the next run need not write it again. */
  abort(): void {
    this.#metadata.discard()
    this.#checkpoint()
  }

  #claim(kind: EntryKind, digest: Digest): boolean {
    if (!this.#claimed[kind].add(digest)) return false
    const location = this.#store.locate(kind, digest)
    if (location !== undefined) this.#leanedOn.add(location.pack)
    return location === undefined
  }

  #checkpoint(): void {
    this.#store.index.add(this.#rows)
    this.#rows = new RowBuffer()
  }
}

/** Gc spares what was used lately. The packs of another user, in a store that is shared, cannot be touched. */
function freshen(path: string): void {
  const now = new Date()
  try {
    utimesSync(path, now, now)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPERM' || code === 'EACCES' || code === 'EROFS') return
    if (code !== 'ENOENT') throw error
    throw new VarveError('MISSING_BYTES', `pack ${path} was removed while its chunks were taken for stored`, {
      hint: 'Run the command again: it stores them anew.',
      retryable: true,
      cause: error,
    })
  }
}
