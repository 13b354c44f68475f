import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { contentIdOf, digestOf } from '../../../core/content-id.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { encodeRecipeRoot } from '../../../core/format/recipe.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { Store } from '../../../core/store/store.ts'
import { packPath } from '../../../core/store/store-layout.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { addVersion, noise, plantRecipe } from '../../support/build-store.ts'
import { counting } from '../../support/golden.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const large = noise(600_000, 1)
const blob = digestOf(large)

/** What a reader that goes chunk by chunk gets. */
function readChunks(store: Store, digest: Uint8Array): Buffer {
  return Buffer.concat([...store.chunks(digest)].map((chunk) => store.readEntry('chunk', chunk.digest)))
}

function overwrite(path: string, change: (bytes: Buffer) => Buffer): void {
  chmodSync(path, 0o644)
  writeFileSync(path, change(readFileSync(path)))
}

function filledStore() {
  const root = join(makeTemporaryFolder(), 'store')
  const store = Store.open(root)
  addVersion(store, { large, small: 'small', empty: '' })
  return { root, store }
}

describe('a store', () => {
  test('is made where there is none, and opened where there is one', () => {
    const { root, store } = filledStore()
    store.close()
    expect(JSON.parse(readFileSync(join(root, 'store.json'), 'utf8'))).toEqual({
      version: 1,
      chunking: 'rot256-v1',
    })
    const again = Store.open(root)
    expect(again.hasBlob(blob)).toBe(true)
    again.close()
  })

  test.each([
    ['a later version', '{"version":2,"chunking":"rot256-v1"}', 'TOO_NEW'],
    ['another chunking', '{"version":1,"chunking":"other"}', 'TOO_NEW'],
    ['no JSON', 'version: 1', 'MALFORMED'],
    ['nothing', '', 'MALFORMED'],
    ['null', 'null', 'MALFORMED'],
  ])('of %s is refused with the remedy, and named', (_, content, code) => {
    const root = makeTemporaryFolder()
    writeFileSync(join(root, 'store.json'), content)
    const error = varveErrorOf(() => Store.open(root))
    expect(error.code).toBe(code)
    expect(error.message).toContain(root)
    expect(error.hint).toBeDefined()
  })

  test('gives files of one chunk, of many, and of none', () => {
    const { store } = filledStore()
    expect(readChunks(store, blob).equals(large)).toBe(true)
    expect([...store.chunks(blob)].length).toBeGreaterThan(3)
    expect([...store.chunks(digestOf(Buffer.from('small')))]).toEqual([
      { digest: digestOf(Buffer.from('small')), lengthBytes: 5 },
    ])
    expect(readChunks(store, digestOf(Buffer.alloc(0)))).toHaveLength(0)
    store.close()
  })

  test('names what it lacks, and the remedy', () => {
    const { store } = filledStore()
    for (const act of [
      () => store.readEntry('chunk', counting(1)),
      () => [...store.chunks(counting(1))],
      () => store.readMetadataBlob(counting(1)),
    ]) {
      const { code, message, hint } = varveErrorOf(act)
      expect([code, hint]).toEqual(['MISSING_BYTES', 'Run `varve pull` to fetch it from a remote.'])
      expect(message).toContain('b3:0102030405')
    }
    expect([store.hasBlob(counting(1)), store.recipeOf(counting(1))]).toEqual([false, undefined])
    store.close()
  })

  test('gives a listing of many chunks whole', () => {
    const { store } = filledStore()
    const writer = new StoreWriter(store)
    const listing = noise(400_000, 7)
    expect(writer.addMetadataBlob(listing)).toEqual(digestOf(listing))
    writer.finish()
    expect(store.readMetadataBlob(digestOf(listing)).equals(listing)).toBe(true)
    store.close()
  })
})

describe('damage', () => {
  test('of a chunk is an error that names it', () => {
    const { root, store } = filledStore()
    const chunk = [...store.chunks(blob)][2]!.digest
    const { pack, offset } = store.index.find('chunk', chunk)!
    overwrite(packPath(root, pack), (bytes) => {
      bytes[offset + 100]! ^= 1
      return bytes
    })
    expect(varveErrorOf(() => readChunks(store, blob))).toMatchObject({
      code: 'CORRUPT',
      message: expect.stringContaining(Buffer.from(chunk).toString('hex')),
    })
    store.close()
  })

  test('does no harm where another pack has the same', () => {
    const { root, store } = filledStore()
    const chunk = [...store.chunks(blob)][2]!.digest
    const bytes = store.readEntry('chunk', chunk)
    const writer = new StoreWriter(store)
    const pack = new PackWriter({ root, class: 'data', onSealed: (sealed) => writer.addPack(sealed) })
    pack.append('chunk', chunk, bytes)
    pack.seal()
    writer.finish()
    const places = [...store.index.findAll('chunk', chunk)]
    expect(places).toHaveLength(2)
    store.close()
    for (const { pack: name, offset } of places) {
      const path = packPath(root, name)
      const whole = readFileSync(path)
      for (const damage of [
        (content: Buffer) => content.fill(0, offset, offset + 10),
        (content: Buffer) => content.subarray(0, offset + 5),
      ]) {
        overwrite(path, damage)
        const again = Store.open(root)
        expect(again.readEntry('chunk', chunk).equals(bytes)).toBe(true)
        again.close()
        overwrite(path, () => whole)
      }
      rmSync(path)
      const again = Store.open(root)
      expect(again.readEntry('chunk', chunk).equals(bytes)).toBe(true)
      expect(again.locate('chunk', chunk)?.pack).not.toBe(name)
      again.close()
      writeFileSync(path, whole)
    }
  })

  test('a pack that is lost counts as not there, so that it is added or fetched again', () => {
    const { root, store } = filledStore()
    const { pack } = store.index.find('chunk', digestOf(Buffer.from('small')))!
    store.close()
    rmSync(packPath(root, pack))
    const again = Store.open(root)
    expect(again.index.has('chunk', digestOf(Buffer.from('small')))).toBe(true)
    expect(again.hasBlob(digestOf(Buffer.from('small')))).toBe(false)
    addVersion(again, { large, small: 'small' })
    expect(readChunks(again, blob).equals(large)).toBe(true)
    expect(again.readEntry('chunk', digestOf(Buffer.from('small'))).toString()).toBe('small')
    again.close()
  })
})

describe('recipes that lie', () => {
  /** A recipe for `blob` that gives other bytes of the same length, all of them in the store. */
  function lie(store: Store): { rootNode: Buffer; lengthBytes: number } {
    const other = noise(600_000, 2)
    addVersion(store, { other })
    const root = store.recipeOf(digestOf(other))!
    return { rootNode: Buffer.from(root.rootNode), lengthBytes: root.lengthBytes }
  }

  test('are not believed where the true one is there too, whichever came first', () => {
    for (const order of ['lie first', 'truth first']) {
      const root = makeTemporaryFolder()
      const store = Store.open(root)
      if (order === 'truth first') addVersion(store, { large })
      const falsehood = lie(store)
      store.close()
      plantRecipe(root, blob, falsehood)
      const again = Store.open(root)
      addVersion(again, { large })
      expect([...again.recipes(blob)], order).toHaveLength(2)
      expect(again.recipeOf(blob)?.rootNode).not.toEqual(falsehood.rootNode)
      expect(readChunks(again, blob).equals(large), order).toBe(true)
      expect(again.readMetadataBlob(blob).equals(large), order).toBe(true)
      again.close()
    }
  })

  test('alone give an error, never other bytes', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const falsehood = lie(store)
    store.close()
    plantRecipe(root, blob, falsehood)
    const again = Store.open(root)
    expect(varveErrorOf(() => again.readMetadataBlob(blob))).toMatchObject({
      code: 'CORRUPT',
      message: `a recipe of ${contentIdOf(large)} gives other bytes`,
    })
    again.close()
  })

  test.each([
    ['whose nodes are not there', { rootNode: counting(9), lengthBytes: 600_000 }],
    ['that claims more than any listing has', { rootNode: counting(9), lengthBytes: 2 ** 40 }],
  ])('%s do not stand in the way', (_, falsehood) => {
    const root = makeTemporaryFolder()
    Store.open(root).close()
    plantRecipe(root, blob, falsehood)
    const store = Store.open(root)
    expect(['MISSING_BYTES', 'HOSTILE']).toContain(varveErrorOf(() => store.readMetadataBlob(blob)).code)
    addVersion(store, { large })
    expect(readChunks(store, blob).equals(large)).toBe(true)
    expect(store.readMetadataBlob(blob).equals(large)).toBe(true)
    store.close()
  })

  test('that are broken do not stand in the way', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const writer = new StoreWriter(store)
    const names: PackName[] = []
    const pack = new PackWriter({
      root,
      class: 'metadata',
      onSealed: (sealed) => {
        names.push(sealed.name)
        writer.addPack(sealed)
      },
    })
    pack.append('recipe', blob, encodeRecipeRoot({ rootNode: counting(1), lengthBytes: 1 }).subarray(0, 39))
    pack.seal()
    writer.finish()
    expect(varveErrorOf(() => [...store.recipes(blob)]).code).toBe('MALFORMED')
    addVersion(store, { large })
    expect(readChunks(store, blob).equals(large)).toBe(true)
    expect(existsSync(packPath(root, names[0]!))).toBe(true)
    store.close()
  })
})
