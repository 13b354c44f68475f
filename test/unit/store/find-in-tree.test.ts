import { expect, test } from 'vitest'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { findInTree, readDirectory, walkTree } from '../../../core/store/find-in-tree.ts'
import { Store } from '../../../core/store/store.ts'
import { addVersion } from '../../support/build-store.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

function version(): { store: Store; entry: TreeEntry } {
  const store = Store.open(makeTemporaryFolder())
  return { store, entry: addVersion(store, { b: { c: 'c', d: { e: 'e' } }, a: 'a', empty: {} }) }
}

test('findInTree finds files and directories, and nothing else', () => {
  const { store, entry } = version()
  expect(findInTree(store, entry, '')).toBe(entry)
  expect(findInTree(store, entry, 'a')).toMatchObject({ kind: 'file', name: 'a', sizeBytes: 1 })
  expect(findInTree(store, entry, 'b/d')).toMatchObject({ kind: 'dir', name: 'd', sizeBytes: 1 })
  expect(findInTree(store, entry, 'b/d/e')).toMatchObject({ kind: 'file', name: 'e' })
  for (const path of ['x', 'a/x', 'b/x/e', 'b/d/e/f', 'b//d', '/a', 'A']) {
    expect(findInTree(store, entry, path)).toBeUndefined()
  }
})

test('walkTree gives everything with its path, parents first, and enters what it is told to', () => {
  const { store, entry } = version()
  const paths = (enter?: (path: string) => boolean) =>
    [...walkTree(store, entry, 'data', enter)].map(({ path }) => path)
  expect(paths()).toEqual(['data', 'data/a', 'data/b', 'data/b/c', 'data/b/d', 'data/b/d/e', 'data/empty'])
  expect(paths((path) => path !== 'data/b')).toEqual(['data', 'data/a', 'data/b', 'data/empty'])
  expect([...walkTree(store, entry, '')].map(({ path }) => path).slice(0, 3)).toEqual(['', 'a', 'b'])
})

test('readDirectory of a file is empty, of a listing that is not here an error that names it', () => {
  const { store, entry } = version()
  expect(readDirectory(store, findInTree(store, entry, 'a')!)).toEqual([])
  const elsewhere = { kind: 'dir' as const, name: 'x', sizeBytes: 0, digest: Buffer.alloc(32, 1) }
  const { code, message } = varveErrorOf(() => readDirectory(store, elsewhere))
  expect([code, message]).toEqual(['MISSING_BYTES', expect.stringContaining('b3:0101')])
})

test('readDirectory of what is no listing is malformed', () => {
  const { store, entry } = version()
  const { digest } = findInTree(store, entry, 'a') as { digest: Uint8Array }
  const wrong = { kind: 'dir' as const, name: 'x', sizeBytes: 0, digest }
  expect(['MALFORMED', 'TOO_NEW']).toContain(varveErrorOf(() => readDirectory(store, wrong)).code)
})
