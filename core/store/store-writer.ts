import { existsSync, utimesSync } from 'node:fs'
import { chunkLengths } from '../chunking/rot256.ts'
import { DIGEST_BYTES, type Digest, digestOf } from '../content-id.ts'
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
  /** Packs of earlier runs that this one leans on, and whether their files are there. */
  readonly #leanedOn = new Map<PackName, boolean>()
  #rows = new RowBuffer()
  #addedBytes = 0

  constructor(store: Store) {
    this.#store = store
    sweepTemporaries(temporaryFolder(store.root))
    const onSealed = (pack: SealedPack) => this.addPack(pack)
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
    if (this.#claim('recipe', blob))
      this.#metadata.append('recipe', Buffer.from(blob), encodeRecipeRoot(root))
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
    const now = new Date()
    for (const [pack, isThere] of this.#leanedOn) {
      if (isThere) utimesSync(packPath(this.#store.root, pack), now, now)
    }
  }

  abort(): void {
    this.#metadata.discard()
  }

  #claim(kind: EntryKind, digest: Digest): boolean {
    if (!this.#claimed[kind].add(digest)) return false
    for (const { pack } of this.#store.index.findAll(kind, digest)) {
      if (this.#isThere(pack)) return false
    }
    return true
  }

  #isThere(pack: PackName): boolean {
    let isThere = this.#leanedOn.get(pack)
    if (isThere === undefined) {
      isThere = existsSync(packPath(this.#store.root, pack))
      this.#leanedOn.set(pack, isThere)
    }
    return isThere
  }

  #checkpoint(): void {
    this.#store.index.add(this.#rows)
    this.#rows = new RowBuffer()
  }
}
