import { chunkLengths } from '../../core/chunking/rot256.ts'
import { digestOf } from '../../core/content-id.ts'
import { encodeRecipeRoot, RecipeBuilder, type RecipeRoot } from '../../core/format/recipe.ts'
import { encodeTree, type TreeEntry } from '../../core/format/tree.ts'
import { PackWriter } from '../../core/store/pack-writer.ts'
import { Store } from '../../core/store/store.ts'
import { StoreWriter } from '../../core/store/store-writer.ts'

/** Directories are objects, files are bytes. */
export type Content = Uint8Array | string | { readonly [name: string]: Content }

/**
 * Adds a version to a store as `add` does, but in one thread and from memory: chunks into data packs, listings and
 * recipes into metadata packs. Gives its entry, named `name`.
 */
export function addVersion(store: Store, content: Content, name = 'data'): TreeEntry {
  const writer = new StoreWriter(store)
  const data = new PackWriter({ root: store.root, class: 'data', onSealed: (pack) => writer.addPack(pack) })
  const entry = addContent(writer, data, name, content)
  data.seal()
  writer.finish()
  return entry
}

function addContent(writer: StoreWriter, data: PackWriter, name: string, content: Content): TreeEntry {
  if (typeof content === 'string') return addContent(writer, data, name, Buffer.from(content))
  if (content instanceof Uint8Array) {
    addFile(writer, data, content)
    return { kind: 'file', name, sizeBytes: content.length, digest: digestOf(content) }
  }
  const children = Object.entries(content).map(([child, inner]) => addContent(writer, data, child, inner))
  const sizeBytes = children.reduce((sum, child) => sum + (child.kind === 'link' ? 0 : child.sizeBytes), 0)
  return { kind: 'dir', name, sizeBytes, digest: writer.addMetadataBlob(encodeTree(children)) }
}

function addFile(writer: StoreWriter, data: PackWriter, bytes: Uint8Array): void {
  const lengths = bytes.length === 0 ? [0] : chunkLengths(bytes)
  const recipe = new RecipeBuilder((node, digest) => writer.addNode(digest, node))
  let start = 0
  for (const length of lengths) {
    const chunk = bytes.subarray(start, start + length)
    const digest = digestOf(chunk)
    if (writer.claimChunks(digest)[0] === 1) data.append('chunk', digest, chunk)
    recipe.push(digest, length)
    start += length
  }
  if (lengths.length > 1) writer.addRecipe(digestOf(bytes), recipe.finish())
}

/** Takes into the store's index a metadata pack that a liar made: a recipe of `blob` that says `root`. */
export function plantRecipe(root: string, blob: Uint8Array, recipe: RecipeRoot): void {
  const store = Store.open(root)
  const writer = new StoreWriter(store)
  const pack = new PackWriter({ root, class: 'metadata', onSealed: (sealed) => writer.addPack(sealed) })
  pack.append('recipe', Buffer.from(blob), encodeRecipeRoot(recipe))
  pack.seal()
  writer.finish()
  store.close()
}

/** Bytes that look random, the same for the same seed. */
export function noise(sizeBytes: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(sizeBytes)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let i = 0; i < sizeBytes; i++) {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    bytes[i] = state & 0xff
  }
  return bytes
}
