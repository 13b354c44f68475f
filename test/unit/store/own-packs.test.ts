import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { RecipeBuilder, type RecipeRoot } from '../../../core/format/recipe.ts'
import { PathFilter } from '../../../core/path-filter.ts'
import { OwnPacks } from '../../../core/store/own-packs.ts'
import { Store } from '../../../core/store/store.ts'
import { packPath } from '../../../core/store/store-layout.ts'
import { findMissing } from '../../../core/transfer/fetch/missing-entries.ts'
import { addVersion, noise, plantRecipe } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const BYTES = noise(400_000, 3)
const BLOB = digestOf(BYTES)

let root: string
let list: string

beforeEach(() => {
  root = makeTemporaryFolder()
  list = join(makeTemporaryFolder(), 'own-packs')
})

const open = () => Store.open(root, OwnPacks.open(list))

/** The metadata pack in which the store has a recipe of the blob. */
function packOfRecipe(store: Store): PackName {
  return store.index.find('recipe', BLOB)!.pack
}

function lie(): RecipeRoot {
  const recipe = new RecipeBuilder(() => {})
  recipe.push(digestOf(Buffer.from('other bytes')), BYTES.length)
  return recipe.finish()
}

test('knows the recipes that it wrote itself, in the next process too', () => {
  const store = open()
  addVersion(store, BYTES)
  const root = store.ownRecipeOf(BLOB)
  expect(root).toEqual(store.recipeOf(BLOB))
  expect(root!.lengthBytes).toBe(BYTES.length)
  store.close()
  const again = open()
  expect(again.ownRecipeOf(BLOB)).toEqual(root)
  expect(again.ownRecipeOf(digestOf(Buffer.from('unknown')))).toBeUndefined()
  again.close()
})

test('knows none that came from elsewhere, and goes by its own beside them', () => {
  plantRecipe(root, BLOB, lie())
  const store = open()
  expect(store.ownRecipeOf(BLOB)).toBeUndefined()
  addVersion(store, BYTES)
  const own = store.ownRecipeOf(BLOB)
  expect(own).toEqual(store.recipeOf(BLOB))
  expect(own).not.toEqual(lie())
  store.close()
})

test('does not take another file for a pack of its own because of its name', () => {
  const store = open()
  addVersion(store, BYTES)
  const path = packPath(root, packOfRecipe(store))
  store.close()
  const good = readFileSync(path)
  chmodSync(path, 0o644)
  for (const bytes of [flip(good, 20), good.subarray(0, good.length - 1), Buffer.alloc(0)]) {
    writeFileSync(path, bytes)
    const again = open()
    expect(again.ownRecipeOf(BLOB)).toBeUndefined()
    again.close()
  }
})

test('does not believe an index that says of one recipe that it is another’s', () => {
  const store = open()
  const other = noise(400_000, 4)
  addVersion(store, { mine: BYTES, other })
  const mine = store.index.find('recipe', BLOB)!
  const theirs = store.index.find('recipe', digestOf(other))!
  const packs = store.ownPacks!
  const path = packPath(root, mine.pack)
  expect(theirs.pack).toBe(mine.pack)
  expect(packs.hasRecipe(BLOB, mine, path)).toBe(true)
  expect(packs.hasRecipe(digestOf(other), theirs, path)).toBe(true)
  expect(packs.hasRecipe(BLOB, theirs, path)).toBe(false)
  for (const change of [{ offset: mine.offset + 1 }, { storedBytes: 1 }, { codec: 'zstd' as const }]) {
    expect(packs.hasRecipe(BLOB, { ...mine, ...change }, path)).toBe(false)
  }
  store.close()
})

test('does not hide that the bytes of a file are lost, whatever else there is of it', () => {
  const store = open()
  const entry = addVersion(store, BYTES)
  store.close()
  plantRecipe(root, BLOB, lie())
  const again = open()
  const version = { entry, path: 'data', filter: PathFilter.everything }
  expect(findMissing(again, [version]).chunks).toEqual([])
  const data = again.index.find('chunk', [...again.chunks(BLOB)][0]!.digest)!.pack
  again.close()
  rmSync(packPath(root, data))
  const lost = open()
  expect(findMissing(lost, [version]).chunks.length).toBeGreaterThan(1)
  lost.close()
})

test('is a shortcut only: a list that is gone, torn or cannot be written costs no more than that', () => {
  const store = open()
  addVersion(store, BYTES)
  const location = store.index.find('recipe', BLOB)!
  const name = location.pack
  const path = packPath(root, name)
  store.close()
  const knows = (packs: OwnPacks, at = path) => packs.hasRecipe(BLOB, location, at)
  const lines = readFileSync(list, 'utf8')
  expect(lines).toMatch(/^([0-9a-f]{64} [0-9a-f]{64}\n)+$/)
  for (const torn of ['', lines.slice(0, -30), 'garbage\n\n', lines.replaceAll(' ', '  ')]) {
    writeFileSync(list, torn)
    expect(knows(OwnPacks.open(list))).toBe(false)
  }
  appendFileSync(list, `\n${lines}`)
  expect(knows(OwnPacks.open(list))).toBe(true)
  expect(knows(OwnPacks.open(list), join(root, 'nothing'))).toBe(false)

  const folder = join(root, 'folder')
  mkdirSync(folder)
  const unwritable = OwnPacks.open(folder)
  unwritable.note([{ name, content: digestOf(readFileSync(path)) }])
  expect(knows(unwritable)).toBe(true)
})
