import { type Digest, digestOf } from '../../core/content-id.ts'
import { RecipeBuilder, type RecipeRoot } from '../../core/format/recipe.ts'
import { PackWriter } from '../../core/store/pack-writer.ts'
import { Store } from '../../core/store/store.ts'
import { StoreWriter } from '../../core/store/store-writer.ts'

const CHUNK_BYTES = 32 << 10
const LEAF_CHUNKS = 256
const LAST_LEAF_CHUNKS = 40

export type LargeBlob = { digest: Digest; sizeBytes: number; root: RecipeRoot; chunks: Buffer[] }

/** Takes into a store a blob of 33.25 MiB that has five leaf nodes, made of a few chunks over and over. */
export function addLargeBlob(storeRoot: string): LargeBlob {
  const plain = ['one', 'two', 'three', 'four', 'five'].map((text) => Buffer.alloc(CHUNK_BYTES, text))
  const ending = chunkThatEndsANode()
  const chunks = Array.from({ length: 4 * LEAF_CHUNKS + LAST_LEAF_CHUNKS }, (_, i) => {
    const place = i % LEAF_CHUNKS
    return place === LEAF_CHUNKS - 1 ? ending : plain[(place * (Math.floor(i / LEAF_CHUNKS) + 1)) % 5]!
  })
  const digest = digestOf(Buffer.concat(chunks))
  const store = Store.open(storeRoot)
  const writer = new StoreWriter(store)
  const data = new PackWriter({ root: storeRoot, class: 'data', onSealed: (pack) => writer.addPack(pack) })
  for (const chunk of [...plain, ending]) data.append('chunk', digestOf(chunk), chunk)
  data.seal()
  const recipe = new RecipeBuilder((node, nodeDigest) => writer.addNode(nodeDigest, node))
  const digests = new Map([...plain, ending].map((chunk) => [chunk, digestOf(chunk)]))
  for (const chunk of chunks) recipe.push(digests.get(chunk)!, CHUNK_BYTES)
  const root = recipe.finish()
  writer.addRecipe(digest, root)
  writer.finish()
  store.close()
  return { digest, sizeBytes: chunks.length * CHUNK_BYTES, root, chunks }
}

function chunkThatEndsANode(): Buffer {
  const chunk = Buffer.alloc(CHUNK_BYTES)
  for (let i = 0; ; i++) {
    chunk.writeUInt32LE(i)
    if ((digestOf(chunk).readUInt16LE() & 0x3ff) === 0) return chunk
  }
}
