import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHUNKING_NAME } from '../chunking/rot256.ts'
import { ContentHasher, contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind } from '../format/pack.ts'
import {
  decodeRecipeRoot,
  encodeRecipeRoot,
  type RecipeEntry,
  type RecipeRoot,
  walkRecipe,
} from '../format/recipe.ts'
import { makeFolder } from './durable.ts'
import { decodeEntry } from './entry-codec.ts'
import { IndexSet } from './index-set.ts'
import type { OwnPacks } from './own-packs.ts'
import { PackReader } from './pack-reader.ts'
import type { Location } from './segment-reader.ts'
import { indexFolder, packPath, packsFolder } from './store-layout.ts'
import { writeFileDurably } from './write-file-durably.ts'

/** Listings are held in memory whole: one of a hundred million entries would be a mistake or an attack. */
const MAX_METADATA_BLOB_BYTES = 1 << 30

/** The packs and index segments on this machine: bytes by content id. */
export class Store {
  readonly root: string
  readonly index: IndexSet
  readonly packs: PackReader
  /** Undefined where nobody asked what this clone wrote itself. */
  readonly ownPacks: OwnPacks | undefined

  private constructor(root: string, ownPacks: OwnPacks | undefined) {
    this.root = root
    this.ownPacks = ownPacks
    this.index = new IndexSet(root)
    this.packs = new PackReader(root)
  }

  /** Opens the store at `root`, and makes it where there is none. */
  static open(root: string, ownPacks?: OwnPacks): Store {
    prepareStore(root)
    return new Store(root, ownPacks)
  }

  close(): void {
    this.index.close()
    this.packs.close()
  }

  /**
   * The verified bytes of an entry, from the first place where they are good.
   * @throws MISSING_BYTES, CORRUPT
   */
  readEntry(kind: EntryKind, digest: Digest): Buffer {
    let failure: unknown
    for (const location of this.index.findAll(kind, digest)) {
      try {
        return this.readAt(location, digest)
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        failure = error
      }
    }
    throw failure ?? missing(kind, digest)
  }

  readAt(location: Location, digest: Digest): Buffer {
    const { kind, codec, rawBytes, pack, offset, storedBytes } = location
    return decodeEntry({ kind, codec, digest, rawBytes, stored: this.packs.read(pack, offset, storedBytes) })
  }

  /** Where the entry is, in a pack whose file is there: the index may name one that was lost. */
  locate(kind: EntryKind, digest: Digest): Location | undefined {
    const first = this.index.find(kind, digest)
    if (first === undefined || this.packs.has(first.pack)) return first
    for (const location of this.index.findAll(kind, digest)) {
      if (this.packs.has(location.pack)) return location
    }
    return undefined
  }

  /** @throws MISSING_BYTES */
  requireLocation(kind: EntryKind, digest: Digest): Location {
    const location = this.locate(kind, digest)
    if (location === undefined) throw missing(kind, digest)
    return location
  }

  has(kind: EntryKind, digest: Digest): boolean {
    return this.locate(kind, digest) !== undefined
  }

  /** Whether all bytes of the blob are here: as one chunk, or every chunk of its recipe. */
  hasBlob(digest: Digest): boolean {
    try {
      for (const chunk of this.chunks(digest)) {
        if (!this.has('chunk', chunk.digest)) return false
      }
      return true
    } catch (error) {
      if (error instanceof VarveError) return false
      throw error
    }
  }

  /**
   * Every recipe that is said to rebuild the blob, each once. Only rebuilding it tells which is right.
   * @throws CORRUPT, MALFORMED where there are some and none can be read
   */
  *recipes(blob: Digest): Generator<RecipeRoot> {
    const seen = new Set<string>()
    let failure: unknown
    for (const location of this.index.findAll('recipe', blob)) {
      if (!this.packs.has(location.pack)) continue
      try {
        const root = decodeRecipeRoot(this.readAt(location, blob), `recipe of ${contentIdFromDigest(blob)}`)
        const key = encodeRecipeRoot(root).toString('latin1')
        if (seen.has(key)) continue
        seen.add(key)
        yield root
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        failure = error
      }
    }
    if (seen.size === 0 && failure !== undefined) throw failure
  }

  /** The recipe that this clone made when it read the blob itself: it needs no rebuilding to be believed. */
  ownRecipeOf(blob: Digest): RecipeRoot | undefined {
    if (this.ownPacks === undefined) return undefined
    for (const location of this.index.findAll('recipe', blob)) {
      if (!this.ownPacks.hasRecipe(blob, location, packPath(this.root, location.pack))) continue
      const bytes = this.packs.has(location.pack) ? this.readAt(location, blob) : undefined
      if (bytes !== undefined) return decodeRecipeRoot(bytes, `recipe of ${contentIdFromDigest(blob)}`)
    }
    return undefined
  }

  /**
   * The recipe to go by: this clone's own, or the only one, or of several, of which a remote may have brought a lie, the
   * one that is proven by rebuilding the blob. Undefined where there is none.
   * @throws CORRUPT, MALFORMED, MISSING_BYTES where none of them gives the blob
   */
  recipeOf(blob: Digest): RecipeRoot | undefined {
    const own = this.ownRecipeOf(blob)
    if (own !== undefined) return own
    const [first, ...others] = this.recipes(blob)
    if (first === undefined || others.length === 0) return first
    return this.#firstGood(blob, [first, ...others], (root) => {
      for (const _ of this.#rebuilt(blob, root));
      return root
    })
  }

  /** Where the store has this very recipe of the blob. */
  locateRecipe(blob: Digest, root: RecipeRoot): Location | undefined {
    const payload = encodeRecipeRoot(root)
    for (const location of this.index.findAll('recipe', blob)) {
      if (this.packs.has(location.pack) && this.#holds(location, blob, payload)) return location
    }
    return undefined
  }

  #holds(location: Location, blob: Digest, payload: Buffer): boolean {
    try {
      return this.readAt(location, blob).equals(payload)
    } catch (error) {
      if (error instanceof VarveError) return false
      throw error
    }
  }

  /**
   * The chunks of a blob in order: one of its own id where it is small.
   * @throws MISSING_BYTES when neither is known; CORRUPT, MALFORMED
   */
  *chunks(blob: Digest): Generator<RecipeEntry> {
    const whole = this.locate('chunk', blob)
    if (whole !== undefined) {
      yield { digest: blob, lengthBytes: whole.rawBytes }
      return
    }
    yield* walkRecipe(this.requireRecipe(blob), (node) => this.readEntry('node', node))
  }

  /** @throws MISSING_BYTES where there is none, and what `recipeOf` throws */
  requireRecipe(blob: Digest): RecipeRoot {
    const root = this.recipeOf(blob)
    if (root === undefined) throw missing('blob', blob)
    return root
  }

  /** A tree listing, whole and verified. */
  readMetadataBlob(blob: Digest): Buffer {
    if (this.has('chunk', blob)) return this.readEntry('chunk', blob)
    return this.#firstGood(blob, this.recipes(blob), (root) => {
      if (root.lengthBytes > MAX_METADATA_BLOB_BYTES) {
        throw new VarveError('HOSTILE', `tree ${contentIdFromDigest(blob)} claims ${root.lengthBytes} bytes`)
      }
      return Buffer.concat([...this.#rebuilt(blob, root)])
    })
  }

  /** What `use` makes of the first recipe that it can use. */
  #firstGood<T>(blob: Digest, recipes: Iterable<RecipeRoot>, use: (root: RecipeRoot) => T): T {
    let failure: unknown
    for (const root of recipes) {
      try {
        return use(root)
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        failure = error
      }
    }
    throw failure ?? missing('blob', blob)
  }

  /** The blob in pieces; at the end its id is proven. */
  *#rebuilt(blob: Digest, root: RecipeRoot): Generator<Buffer> {
    const hasher = new ContentHasher()
    for (const { digest, lengthBytes } of walkRecipe(root, (node) => this.readEntry('node', node))) {
      const bytes = this.readEntry('chunk', digest)
      if (bytes.length !== lengthBytes) throw givesOtherBytes(blob)
      hasher.update(bytes)
      yield bytes
    }
    if (!hasher.digest().equals(blob)) throw givesOtherBytes(blob)
  }
}

const STORE_VERSION = 1

/** Makes the folders of a store where they are missing; refuses one of a format that this version cannot read. */
function prepareStore(root: string): void {
  const path = join(root, 'store.json')
  if (!existsSync(path)) {
    for (const folder of [root, packsFolder(root), indexFolder(root)]) makeFolder(folder)
    writeFileDurably(path, `${JSON.stringify({ version: STORE_VERSION, chunking: CHUNKING_NAME })}\n`)
    return
  }
  const { version, chunking } = readStoreFile(path)
  if (version === STORE_VERSION && chunking === CHUNKING_NAME) return
  throw new VarveError('TOO_NEW', `store ${root}: version ${version}, chunking ${chunking}`, {
    hint: 'Upgrade varve to use this store.',
  })
}

function readStoreFile(path: string): { version?: unknown; chunking?: unknown } {
  try {
    const body: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof body === 'object' && body !== null) return body
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new VarveError('MALFORMED', `${path} is not what varve writes`, {
    hint: `Write ${JSON.stringify({ version: STORE_VERSION, chunking: CHUNKING_NAME })} into it.`,
  })
}

function givesOtherBytes(blob: Digest): VarveError {
  return new VarveError('CORRUPT', `a recipe of ${contentIdFromDigest(blob)} gives other bytes`, {
    hint: 'Run `varve verify --full` to see what is affected.',
  })
}

function missing(what: string, digest: Digest): VarveError {
  return new VarveError('MISSING_BYTES', `${what} ${contentIdFromDigest(digest)} is not in the store`, {
    hint: 'Run `varve pull` to fetch it from a remote.',
  })
}
