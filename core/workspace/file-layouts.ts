import { join } from 'node:path'
import { contentIdFromDigest, type Digest, EMPTY_DIGEST } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { type RecipeEntry, type RecipeRoot, walkRecipe } from '../format/recipe.ts'
import { DigestSet } from '../store/digest-set.ts'
import { labelled } from '../store/read-blob.ts'
import type { Location } from '../store/segment-reader.ts'
import type { Store } from '../store/store.ts'
import { BegunFile } from './begun-file.ts'
import { ChunkPlaces } from './chunk-places.ts'
import type { FileToMaterialise } from './materialise-task.ts'
import type { PartFiles } from './part-files.ts'
import type { FileToPlace } from './place-schedule.ts'
import type { FileToWrite } from './plan-checkout.ts'

type NamedBlob = { label: string; digest: Digest; sizeBytes: number }

/** What some files are made of. */
export type Layout = {
  files: FileToPlace[]
  places: ChunkPlaces
  /** The chunks that the store lacks, and those that it has. */
  wanted: DigestSet
  stored: { digest: Buffer; location: Location }[]
}

/** Works out which chunks files are made of, as recipes in the store tell. */
export class FileLayouts {
  readonly #options: { root: string; store: Store; parts: PartFiles }

  constructor(options: { root: string; store: Store; parts: PartFiles }) {
    this.#options = options
  }

  /** `attempt`: which of its recipes, where a file has several. `goesOn`: with what an earlier run left. */
  async layOut(
    files: readonly FileToWrite[],
    options: { attempt: number; goesOn: boolean },
  ): Promise<Layout> {
    const { root, store } = this.#options
    const places = new ChunkPlaces()
    const toPlace: FileToPlace[] = []
    for (const [index, { path, digest, sizeBytes, executable, replaces }] of files.entries()) {
      const file: FileToMaterialise = {
        ...{ index, path: join(root, path), label: path, digest, sizeBytes, executable, replaces },
        location: undefined,
        provenRecipe: undefined,
      }
      toPlace.push(await this.#layOutFile(file, places, options))
    }
    const wanted = new DigestSet()
    const stored: Layout['stored'] = []
    for (const digest of places.chunks) {
      // Of no bytes nothing need be read.
      if (digest.equals(EMPTY_DIGEST)) continue
      const location = store.locate('chunk', digest)
      if (location !== undefined) stored.push({ digest, location })
      else wanted.add(digest)
    }
    stored.sort((a, b) => compareLocations(a.location, b.location))
    return { files: toPlace, places, wanted, stored }
  }

  async #layOutFile(
    file: FileToMaterialise,
    places: ChunkPlaces,
    { attempt, goesOn }: { attempt: number; goesOn: boolean },
  ): Promise<FileToPlace> {
    const { index, digest, label } = file
    const recipe = this.#recipeOf(file, attempt)
    if (recipe === undefined) {
      places.add(digest, index, 0)
      return { file, isChunk: true, partsLeft: 1, temporary: undefined }
    }
    const temporary = goesOn ? this.#options.parts.adopt(file) : undefined
    const begun = temporary === undefined ? undefined : new BegunFile(temporary)
    let position = 0
    let partsLeft = 0
    try {
      for (const { digest: chunk, lengthBytes } of this.#chunksOf(label, recipe)) {
        if (!(await begun?.has(chunk, position, lengthBytes))) {
          places.add(chunk, index, position)
          partsLeft++
        }
        position += lengthBytes
      }
    } finally {
      begun?.close()
    }
    return { file, isChunk: false, partsLeft, temporary }
  }

  countChunks(file: FileToWrite): number {
    const named = { ...file, label: file.path }
    const recipe = this.#recipeOf(named, 0)
    if (recipe === undefined) return 1
    let count = 0
    for (const _ of this.#chunksOf(file.path, recipe)) count++
    return count
  }

  /** Undefined for a file that is taken for one chunk. @throws CORRUPT where no recipe is left to be tried */
  #recipeOf(file: NamedBlob, attempt: number): RecipeRoot | undefined {
    const { store } = this.#options
    const own = store.ownRecipeOf(file.digest)
    const recipes = own === undefined ? [...store.recipes(file.digest)] : [own]
    const likely = recipes.filter(
      (root) =>
        root.lengthBytes === file.sizeBytes && (recipes.length === 1 || this.#isWhole(file.label, root)),
    )
    if (likely[attempt] !== undefined || recipes.length === 0) return likely[attempt]
    const id = contentIdFromDigest(file.digest)
    throw new VarveError('CORRUPT', `${file.label}: what there is for ${id} gives other bytes`, {
      hint: 'Run `varve push --all` in a clone that has the file, then run this again.',
    })
  }

  #isWhole(label: string, root: RecipeRoot): boolean {
    try {
      for (const _ of this.#chunksOf(label, root));
      return true
    } catch (error) {
      if (error instanceof VarveError) return false
      throw error
    }
  }

  *#chunksOf(label: string, root: RecipeRoot): Generator<RecipeEntry> {
    try {
      yield* walkRecipe(root, (node) => this.#options.store.readEntry('node', node))
    } catch (error) {
      throw labelled(error, { label })
    }
  }
}

function compareLocations(a: Location, b: Location): number {
  if (a.pack !== b.pack) return a.pack < b.pack ? -1 : 1
  return a.offset - b.offset
}
