import { existsSync, rmSync } from 'node:fs'
import { contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { type EntryKind, MAX_PACK_BYTES, type PackName } from '../format/pack.ts'
import { decodeRecipeRoot, type RecipeRoot } from '../format/recipe.ts'
import { publishFile } from '../store/durable.ts'
import { decodeEntry } from '../store/entry-codec.ts'
import { PackReader } from '../store/pack-reader.ts'
import type { Location } from '../store/segment-reader.ts'
import type { Store } from '../store/store.ts'
import { packKey, packPath, temporaryFolder } from '../store/store-layout.ts'
import { temporaryPath } from '../store/temporary-files.ts'
import type { RemoteKnowledge } from './push-planner.ts'
import { readIntoFile } from './read-whole.ts'
import type { RemoteView } from './remote-view.ts'
import type { SentJournal } from './sent-journal.ts'

/**
 * What a push takes the remote to have. A chunk or node under its id is proven when it is read; a recipe is proven
 * only by rebuilding its blob, so one counts only if it says what this store's own says. That is read from a copy of
 * its metadata pack: the store's, or one kept beside the cached index.
 */
export class VerifiedKnowledge implements RemoteKnowledge {
  readonly #store: Store
  readonly #view: RemoteView
  readonly #journal: SentJournal
  readonly #copies: PackReader
  readonly #unread = new Set<PackName>()
  readonly #gone = new Set<PackName>()

  constructor(options: { store: Store; view: RemoteView; journal: SentJournal }) {
    this.#store = options.store
    this.#view = options.view
    this.#journal = options.journal
    this.#copies = new PackReader(options.view.folder)
  }

  find(kind: EntryKind, digest: Digest): Location | undefined {
    for (const places of [this.#view.index, this.#journal]) {
      for (const location of places.findAll(kind, digest)) {
        if (!this.#gone.has(location.pack)) return location
      }
    }
    return undefined
  }

  findRecipe(blob: Digest, root: RecipeRoot): PackName | undefined {
    for (const places of [this.#view.index, this.#journal]) {
      for (const location of places.findAll('recipe', blob)) {
        if (this.#gone.has(location.pack)) continue
        const copy = this.#copyOf(location.pack)
        if (copy === undefined) {
          // Taken for the same until `readUnread` has fetched it: the plan is then made again.
          this.#unread.add(location.pack)
          return location.pack
        }
        if (isSameRecipe(readRecipe(copy, location, blob), root)) return location.pack
      }
    }
    return undefined
  }

  /** Fetches the packs that recipes were taken on trust from. Whether there were any: then plan again. */
  async readUnread(signal: AbortSignal | undefined): Promise<boolean> {
    const packs = [...this.#unread]
    this.#unread.clear()
    for (const pack of packs) await this.#fetchCopy(pack, signal)
    return packs.length > 0
  }

  /** These packs are no longer there, whatever the index says. */
  forget(packs: Iterable<PackName>): void {
    for (const pack of packs) this.#gone.add(pack)
  }

  close(): void {
    this.#copies.close()
  }

  #copyOf(pack: PackName): PackReader | undefined {
    if (existsSync(packPath(this.#store.root, pack))) return this.#store.packs
    if (existsSync(packPath(this.#view.folder, pack))) return this.#copies
    return undefined
  }

  async #fetchCopy(pack: PackName, signal: AbortSignal | undefined): Promise<void> {
    const temporary = temporaryPath(temporaryFolder(this.#view.folder))
    try {
      await readIntoFile(this.#view.remote, packKey(pack), {
        path: temporary,
        mostBytes: MAX_PACK_BYTES,
        signal,
      })
      publishFile(temporary, packPath(this.#view.folder, pack))
    } catch (error) {
      if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
      this.#gone.add(pack)
    } finally {
      rmSync(temporary, { force: true })
    }
  }
}

function readRecipe(packs: PackReader, location: Location, blob: Digest): RecipeRoot | undefined {
  try {
    const stored = packs.read(location.pack, location.offset, location.storedBytes)
    const { kind, codec, rawBytes } = location
    const payload = decodeEntry({ kind, codec, digest: blob, rawBytes, stored })
    return decodeRecipeRoot(payload, `recipe of ${contentIdFromDigest(blob)}`)
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
}

function isSameRecipe(theirs: RecipeRoot | undefined, ours: RecipeRoot): boolean {
  return (
    theirs !== undefined &&
    theirs.lengthBytes === ours.lengthBytes &&
    Buffer.compare(theirs.rootNode, ours.rootNode) === 0
  )
}
