import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeRepository, writeFiles } from '../support/git-fixture.ts'
import { varve, varveJson } from '../support/run-varve.ts'
import { BIG_BYTES, makeVersionedRepository, noise, pushAndClone } from '../support/versioned-repository.ts'

type Usage = {
  logicalBytes: number
  uniqueChunks: number
  uniqueBytes: number
  storedBytes: number
  metadataBytes: number
}
type Report = {
  store: { folder: string; packs: number; packBytes: number }
  paths: (Usage & { path: string; kind: string; sizeBytes: number; files: number; isPartial: boolean })[]
  history: Usage & {
    versions: number
    partialVersions: number
    savedByDeduplication: number
    savedByCompression: number
  }
}

test('counts each path by itself, and all of history together', async () => {
  const root = await makeVersionedRepository()
  const { store, paths, history } = await varveJson<Report>(['stats'], { cwd: root })
  expect(paths).toMatchObject([
    { path: 'data', kind: 'dir', sizeBytes: BIG_BYTES + 23, files: 6, isPartial: false },
    { path: 'models/base.bin', kind: 'file', sizeBytes: 6, files: 1, uniqueChunks: 1, uniqueBytes: 6 },
  ])
  // Nothing occurs twice in the version, and noise does not compress.
  expect(paths[0]).toMatchObject({ logicalBytes: BIG_BYTES + 23, uniqueBytes: BIG_BYTES + 23 })
  expect(paths[0]?.storedBytes).toBe(BIG_BYTES + 23)
  // Two versions of data; the second shares all but `changed` and `notes` with the first.
  const logicalBytes = BIG_BYTES + 19 + BIG_BYTES + 23 + 6
  const uniqueBytes = BIG_BYTES + 19 + 14 + 6
  expect(history).toMatchObject({
    versions: 3,
    partialVersions: 0,
    logicalBytes,
    uniqueBytes,
    savedByDeduplication: logicalBytes - uniqueBytes,
    savedByCompression: 0,
  })
  expect(history.metadataBytes).toBeGreaterThan(paths[0]!.metadataBytes)
  expect(store.packs).toBeGreaterThan(1)
  expect(store.packBytes).toBeGreaterThan(history.storedBytes + history.metadataBytes)
})

test('sees what occurs twice in one version, and what compresses', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  const text = Buffer.from('the same words again and again\n'.repeat(300))
  writeFiles(root, { 'data/a': text, 'data/b': text, 'data/c': noise('c', 1000) })
  await varve(['add', 'data'], { cwd: root })
  const { paths, history } = await varveJson<Report>(['stats'], { cwd: root })
  expect(paths[0]).toMatchObject({
    logicalBytes: 2 * text.length + 1000,
    uniqueChunks: 2,
    uniqueBytes: text.length + 1000,
  })
  expect(history.savedByDeduplication).toBe(text.length)
  expect(history.savedByCompression).toBeGreaterThan(text.length / 2)
  const output = await varve(['stats'], { cwd: root })
  expect(output).toMatch(/^path {2,}files +size +chunks +unique +stored\ndata +3 +19\.1 KiB +2 /)
  expect(output).toMatch(/all of history: 1 version\n[\s\S]*saved by deduplication +9,300 B +47\.4 %/)
})

test('what was not fetched counts nowhere, and is told', async () => {
  const clone = await pushAndClone(await makeVersionedRepository())
  const nothing = { logicalBytes: 0, uniqueChunks: 0, uniqueBytes: 0, storedBytes: 0 }
  const before = await varveJson<Report>(['stats'], { cwd: clone })
  expect(before.history).toMatchObject({ ...nothing, versions: 3, partialVersions: 3 })
  expect(before.paths[0]).toMatchObject({ ...nothing, sizeBytes: BIG_BYTES + 23, isPartial: true })
  await varve(['pull', 'models'], { cwd: clone })
  const after = await varveJson<Report>(['stats'], { cwd: clone })
  expect(after.paths.map(({ isPartial }) => isPartial)).toEqual([true, false])
  expect(await varve(['stats'], { cwd: clone })).toMatch(/^data .*not all here$/m)
})

test('nothing tracked', async () => {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  expect(await varveJson<Report>(['stats'], { cwd: root })).toMatchObject({
    paths: [],
    history: { versions: 0, logicalBytes: 0 },
  })
  expect(await varve(['stats'], { cwd: root })).toMatch(/all of history: 0 versions/)
})

test('a version whose pointer is gone from the working tree counts in history alone', async () => {
  const root = await makeVersionedRepository()
  rmSync(join(root, 'data.varve'))
  const { paths, history } = await varveJson<Report>(['stats'], { cwd: root })
  expect(paths.map(({ path }) => path)).toEqual(['models/base.bin'])
  expect(history.versions).toBe(3)
})
