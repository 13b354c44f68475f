import { existsSync, rmSync } from 'node:fs'
import { contentIdFromDigest, type Digest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import { type EntryKind, MAX_PACK_BYTES, type PackName } from '../../format/pack.ts'
import { decodeRecipeRoot, type RecipeRoot } from '../../format/recipe.ts'
import type { SegmentName } from '../../format/segment.ts'
import { publishFile } from '../../store/durable.ts'
import { decodeEntry } from '../../store/entry-codec.ts'
import { PackReader } from '../../store/pack-reader.ts'
import type { Location } from '../../store/segment-reader.ts'
import type { Store } from '../../store/store.ts'
import { packKey, packPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import type { ListedFile } from '../objects/listed-files.ts'
import { readIntoFile } from '../objects/read-whole.ts'
import { describePacks } from '../view/describe-packs.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { KnownPacks, parentPacks } from './known-packs.ts'
import type { RemoteKnowledge } from './push-planner.ts'
import type { SentJournal } from './sent-journal.ts'

/** Looking for samples costs a listing: it is not done for less than this. */
const LEAST_SAMPLED_BYTES = 1 << 20

/** What a plan would send, and whether it lacks something that may be on the remote. */
export type PlannedBytes = { sendingBytes: number; isIncomplete: boolean; signal?: AbortSignal | undefined }

/**
 * What a push takes the remote to have. A chunk or node under its id is proven when it is read; a recipe is proven
 * only by rebuilding its blob, so one counts only if it says what this store's own says. That is read from a copy of
 * its metadata pack: the store's, or one kept beside the cached index.
 * Where the remote's index is too large to be here, tables of packs and samples stand for it (`lookDeeper`); they
 * may miss something, which is sent once more.
 */
export class VerifiedKnowledge implements RemoteKnowledge {
  readonly #store: Store
  readonly #view: RemoteView
  readonly #journal: SentJournal
  readonly #paths: readonly string[]
  readonly #copies: PackReader
  readonly #known: KnownPacks | undefined
  readonly #unread = new Set<PackName>()
  /** Packs of which a sample has shown one entry. */
  readonly #glimpsed = new Set<PackName>()
  readonly #seen = new Set<PackName>()
  readonly #gone = new Set<PackName>()
  #samplesToFetch: ListedFile<SegmentName>[] | undefined

  constructor(options: {
    store: Store
    view: RemoteView
    journal: SentJournal
    versions: readonly { path: string }[]
    jobs: number
  }) {
    this.#store = options.store
    this.#view = options.view
    this.#journal = options.journal
    this.#paths = options.versions.map(({ path }) => path)
    this.#copies = new PackReader(options.view.folder)
    this.#known = options.view.isPartial ? new KnownPacks(options) : undefined
  }

  find(kind: EntryKind, digest: Digest): Location | undefined {
    for (const places of [this.#view.index, this.#journal, this.#known?.set]) {
      for (const location of places?.findAll(kind, digest) ?? []) {
        if (this.#isUsable(location.pack)) return location
      }
    }
    return this.#findInSamples(kind, digest)
  }

  findRecipe(blob: Digest, root: RecipeRoot): PackName | undefined {
    for (const places of [this.#view.index, this.#journal, this.#known?.set]) {
      for (const location of places?.findAll('recipe', blob) ?? []) {
        if (!this.#isUsable(location.pack)) continue
        const copy = this.#copyOf(location.pack)
        if (copy === undefined) {
          // Taken for the same until `readUnread` has fetched it: the plan is then made again.
          this.#unread.add(location.pack)
          return location.pack
        }
        if (isSameRecipe(readRecipe(copy, location, blob), root)) return location.pack
      }
    }
    // What it shows of the pack, its table will tell.
    this.#findInSamples('recipe', blob)
    return undefined
  }

  /** Fetches the packs that recipes were taken on trust from. Whether there were any: then plan again. */
  async readUnread(signal: AbortSignal | undefined): Promise<boolean> {
    const packs = [...this.#unread]
    this.#unread.clear()
    for (const pack of packs) await this.#fetchCopy(pack, signal)
    const glimpsed = [...this.#glimpsed]
    this.#glimpsed.clear()
    const described = await describePacks(this.#view, glimpsed)
    const there = new Set(described.map(({ name }) => name))
    this.forget(glimpsed.filter((name) => !there.has(name)))
    this.forget((await this.#known?.add(this.#known.lacking(described))) ?? [])
    return packs.length > 0 || glimpsed.length > 0
  }

  /**
   * Where only a part of the remote's index is here: looks further, as long as that costs less than what it could save,
   * or something is lacking. Whether there is something new: then plan again.
   */
  async lookDeeper({ sendingBytes, isIncomplete, signal }: PlannedBytes): Promise<boolean> {
    if (this.#known === undefined) return false
    const isWorth = (costBytes: number) => isIncomplete || costBytes < sendingBytes
    const likely = isIncomplete ? this.#view.recordedPacks.values() : parentPacks(this.#view, this.#paths)
    const packs = this.#known.lacking(likely).filter(({ name }) => !this.#gone.has(name))
    if (packs.length > 0 && isWorth(packs.reduce((sum, { tailBytes }) => sum + tailBytes, 0))) {
      this.forget(await this.#known.add(packs))
      return true
    }
    if (!isIncomplete && sendingBytes < LEAST_SAMPLED_BYTES) return false
    const { samples, segments } = this.#view
    const isFirst = this.#samplesToFetch === undefined
    this.#samplesToFetch ??= await samples.list(segments.absent)
    const files = this.#samplesToFetch
    if (files.length > 0 && isWorth(files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))) {
      this.#samplesToFetch = []
      await samples.fetch(files, signal)
      return true
    }
    return isFirst && samples.set.names.length > 0
  }

  /** These packs are no longer there, whatever the index says. */
  forget(packs: Iterable<PackName>): void {
    for (const pack of packs) this.#gone.add(pack)
  }

  close(): void {
    this.#known?.close()
    this.#copies.close()
  }

  /** A pack that is buried may still be there, and is about to go: whoever else knows of it must not lean on it. */
  #isUsable(pack: PackName): boolean {
    return !this.#gone.has(pack) && !this.#view.segments.isTombstoned(pack)
  }

  #findInSamples(kind: EntryKind, digest: Digest): Location | undefined {
    if (this.#samplesToFetch === undefined) return undefined
    for (const location of this.#view.samples.set.findAll(kind, digest)) {
      const { pack } = location
      if (!this.#isUsable(pack)) continue
      if (!this.#seen.has(pack)) this.#glimpsed.add(pack)
      this.#seen.add(pack)
      return location
    }
    return undefined
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
