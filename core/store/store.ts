import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CHUNKING_NAME } from '../chunking/rot256.ts'
import { ContentHasher, contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind } from '../format/pack.ts'
import { decodeRecipeRoot, type RecipeEntry, type RecipeRoot, walkRecipe } from '../format/recipe.ts'
import { makeFolder } from './durable.ts'
import { decodeEntry } from './entry-codec.ts'
import { IndexSet } from './index-set.ts'
import { PackReader } from './pack-reader.ts'
import type { Location } from './segment-reader.ts'
import { indexFolder, packsFolder } from './store-layout.ts'
import { writeFileDurably } from './write-file-durably.ts'

/** Listings are held in memory whole: one of a hundred million entries would be a mistake or an attack. */
const MAX_METADATA_BLOB_BYTES = 1 << 30

/** The packs and index segments on this machine: bytes by content id. */
export class Store {
  readonly root: string
  readonly index: IndexSet
  readonly packs: PackReader

  private constructor(root: string) {
    this.root = root
    this.index = new IndexSet(root)
    this.packs = new PackReader(root)
  }

  /** Opens the store at `root`, and makes it where there is none. */
  static open(root: string): Store {
    prepareStore(root)
    return new Store(root)
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

  /** Whether the index knows the blob: as one chunk, or by a recipe. */
  hasBlob(digest: Digest): boolean {
    return this.index.has('chunk', digest) || this.index.has('recipe', digest)
  }

  /** Every recipe that is said to rebuild the blob. Only rebuilding it tells which is right. */
  *recipes(blob: Digest): Generator<RecipeRoot> {
    for (const location of this.index.findAll('recipe', blob)) {
      yield decodeRecipeRoot(this.readAt(location, blob), `recipe of ${contentIdFromDigest(blob)}`)
    }
  }

  /**
   * The chunks of a blob in order: one of its own id where it is small.
   * @throws MISSING_BYTES when neither is known; CORRUPT, MALFORMED
   */
  *chunks(blob: Digest): Generator<RecipeEntry> {
    const whole = this.index.find('chunk', blob)
    if (whole !== undefined) {
      yield { digest: blob, lengthBytes: whole.rawBytes }
      return
    }
    for (const root of this.recipes(blob)) {
      yield* walkRecipe(root, (node) => this.readEntry('node', node))
      return
    }
    throw missing('blob', blob)
  }

  /** A tree listing, whole and verified. */
  readMetadataBlob(blob: Digest): Buffer {
    if (this.index.has('chunk', blob)) return this.readEntry('chunk', blob)
    let failure: unknown
    for (const root of this.recipes(blob)) {
      try {
        return this.#rebuild(blob, root)
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        failure = error
      }
    }
    throw failure ?? missing('tree', blob)
  }

  #rebuild(blob: Digest, root: RecipeRoot): Buffer {
    const where = contentIdFromDigest(blob)
    if (root.lengthBytes > MAX_METADATA_BLOB_BYTES) {
      throw new VarveError('HOSTILE', `tree ${where} claims ${root.lengthBytes} bytes`)
    }
    const hasher = new ContentHasher()
    const parts: Buffer[] = []
    for (const { digest } of walkRecipe(root, (node) => this.readEntry('node', node))) {
      const bytes = this.readEntry('chunk', digest)
      hasher.update(bytes)
      parts.push(bytes)
    }
    if (!hasher.digest().equals(blob)) {
      throw new VarveError('CORRUPT', `the recipe of tree ${where} gives other bytes`)
    }
    return Buffer.concat(parts)
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
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new VarveError('MALFORMED', `${path} is not JSON`, {
      hint: `Write ${JSON.stringify({ version: STORE_VERSION, chunking: CHUNKING_NAME })} into it.`,
      cause,
    })
  }
}

function missing(what: string, digest: Digest): VarveError {
  return new VarveError('MISSING_BYTES', `${what} ${contentIdFromDigest(digest)} is not in the store`, {
    hint: 'Run `varve pull` to fetch it from a remote.',
  })
}
