import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { RecipeBuilder } from '../../../core/format/recipe.ts'
import { readBlob } from '../../../core/store/read-blob.ts'
import { Store } from '../../../core/store/store.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const parts = ['first ', 'second ', 'third'].map((text) => Buffer.from(text))
const whole = Buffer.concat(parts)
const blob = { digest: digestOf(whole), sizeBytes: whole.length, label: 'data/file' }

/** A store that has `parts` as blobs of their own, and says that in this order they give the blob. */
function storeWith(...orders: number[][]): Store {
  const store = Store.open(makeTemporaryFolder())
  for (const order of orders) {
    const writer = new StoreWriter(store)
    for (const part of parts) writer.addMetadataBlob(part)
    const recipe = new RecipeBuilder((node, digest) => writer.addNode(digest, node))
    for (const at of order) recipe.push(digestOf(parts[at]!), parts[at]!.length)
    writer.addRecipe(blob.digest, recipe.finish())
    writer.finish()
  }
  return store
}

test('gives a blob of one chunk, and one of many', () => {
  const store = storeWith([0, 1, 2])
  const [first] = parts
  const small = { digest: digestOf(first!), sizeBytes: first!.length, label: 'small' }
  expect([...readBlob(store, small)]).toEqual([first])
  expect(Buffer.concat([...readBlob(store, blob)])).toEqual(whole)
  store.close()
})

test('a recipe that gives other bytes is found out at the end', () => {
  const store = storeWith([1, 0, 2])
  const given: Buffer[] = []
  const error = varveErrorOf(() => {
    for (const piece of readBlob(store, blob)) given.push(piece)
  })
  expect(error.code).toBe('CORRUPT')
  expect(error.message).toMatch(/^data\/file: .* is not that file$/)
  expect(Buffer.concat(given)).toHaveLength(whole.length)
  store.close()
})

test('a length that is not the one told is refused before any byte is given', () => {
  const store = storeWith([0, 1, 2])
  for (const read of [
    readBlob(store, { ...blob, sizeBytes: blob.sizeBytes + 1 }),
    readBlob(store, { digest: digestOf(parts[0]!), sizeBytes: 1, label: 'small' }),
  ]) {
    expect(varveErrorOf(() => read.next()).code).toBe('CORRUPT')
  }
  store.close()
})

test('what is not there is named', () => {
  const store = Store.open(makeTemporaryFolder())
  const error = varveErrorOf(() => readBlob(store, blob).next())
  expect(error.code).toBe('MISSING_BYTES')
  expect(error.message).toMatch(/^data\/file \(b3:/)
  store.close()
})
