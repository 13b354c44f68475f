import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import type { PackName } from '../../../core/format/pack.ts'
import { PackWriter } from '../../../core/store/pack-writer.ts'
import { Store } from '../../../core/store/store.ts'
import { indexFolder, packPath, packsFolder, temporaryFolder } from '../../../core/store/store-layout.ts'
import { StoreWriter } from '../../../core/store/store-writer.ts'
import { temporaryPath } from '../../../core/store/temporary-files.ts'
import { addVersion, noise } from '../../support/build-store.ts'
import { chunkRows, numberedDigest, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const packsIn = (root: string) =>
  readdirSync(packsFolder(root), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.pack'),
  )
const segmentsIn = (root: string) => readdirSync(indexFolder(root))

function sealedPack(rows: Uint8Array, name: PackName = packNamed(0)) {
  return { name, class: 'data' as const, sizeBytes: 1000, tailBytes: 100, rows }
}

describe('claims', () => {
  test('are given once in a run', () => {
    const store = Store.open(makeTemporaryFolder())
    const writer = new StoreWriter(store)
    const [a, b] = [numberedDigest(1), numberedDigest(2)]
    expect([...writer.claimChunks(Buffer.concat([a, b, a]))]).toEqual([1, 1, 0])
    expect([...writer.claimChunks(Buffer.concat([b, numberedDigest(3)]))]).toEqual([0, 1])
    expect([...writer.claimChunks(new Uint8Array(0))]).toEqual([])
    writer.abort()
    store.close()
  })

  test('are not given for what an earlier run wrote, in this process or another', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const content = { a: noise(300_000, 1), b: 'small' }
    addVersion(store, content)
    const before = packsIn(root)
    addVersion(store, content)
    const other = Store.open(root)
    addVersion(other, content)
    expect(packsIn(root)).toEqual(before)
    for (const one of [store, other]) one.close()
  })

  test('are given for what lies in a pack that is gone', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    addVersion(store, 'small')
    const digest = digestOf(Buffer.from('small'))
    rmSync(packPath(root, store.index.find('chunk', digest)!.pack))
    store.close()
    const again = Store.open(root)
    const writer = new StoreWriter(again)
    expect([...writer.claimChunks(digest)]).toEqual([1])
    writer.abort()
    again.close()
  })
})

describe('a run', () => {
  test('shows nothing before it is finished, and all of it then', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const writer = new StoreWriter(store)
    const listing = Buffer.from('a listing')
    const digest = writer.addMetadataBlob(listing)
    expect([packsIn(root), segmentsIn(root), store.hasBlob(digest)]).toEqual([[], [], false])
    writer.finish()
    expect(packsIn(root)).toHaveLength(1)
    expect(segmentsIn(root)).toHaveLength(1)
    expect(readdirSync(temporaryFolder(root))).toEqual([])
    const other = Store.open(root)
    expect(other.readMetadataBlob(digest).equals(listing)).toBe(true)
    expect(writer.addedBytes).toBe(statSync(join(packsFolder(root), packsIn(root)[0]!)).size)
    for (const one of [store, other]) one.close()
  })

  test('that is aborted leaves nothing', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const writer = new StoreWriter(store)
    writer.addMetadataBlob(Buffer.from('a listing'))
    writer.abort()
    expect([packsIn(root), segmentsIn(root), readdirSync(temporaryFolder(root))]).toEqual([[], [], []])
    store.close()
  })

  test('of nothing new writes nothing', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    addVersion(store, { a: '1' })
    const [packs, segments] = [packsIn(root), segmentsIn(root)]
    const writer = new StoreWriter(store)
    writer.finish()
    addVersion(store, { a: '1' })
    expect([packsIn(root), segmentsIn(root)]).toEqual([packs, segments])
    store.close()
  })

  test('makes a long one findable on its way', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const writer = new StoreWriter(store)
    const digests = Array.from({ length: 100_000 }, (_, i) => numberedDigest(i))
    writer.addPack(sealedPack(chunkRows(digests), packNamed(0)))
    expect(store.index.rowCount).toBe(0)
    writer.addPack(sealedPack(chunkRows(digests), packNamed(1)))
    expect(store.index.rowCount).toBe(200_000)
    writer.addPack(sealedPack(chunkRows(digests.slice(0, 10)), packNamed(2)))
    expect(store.index.rowCount).toBe(200_000)
    writer.finish()
    expect(store.index.rowCount).toBe(200_010)
    store.close()
  })

  test('writes nodes and recipes once', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const content = { a: noise(500_000, 3), copy: noise(500_000, 3) }
    addVersion(store, content)
    const blob = digestOf(content.a)
    expect([...store.index.findAll('recipe', blob)]).toHaveLength(1)
    expect([...store.index.findAll('node', store.recipeOf(blob)!.rootNode)]).toHaveLength(1)
    store.close()
  })

  test('freshens the packs that it leans on, and no others', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    addVersion(store, 'first')
    addVersion(store, 'second')
    const old = new Date('2020-01-01')
    const pathOf = (text: string) =>
      packPath(root, store.index.find('chunk', digestOf(Buffer.from(text)))!.pack)
    for (const text of ['first', 'second']) utimesSync(pathOf(text), old, old)
    addVersion(store, 'second')
    expect(statSync(pathOf('first')).mtime).toEqual(old)
    expect(statSync(pathOf('second')).mtime.getTime()).toBeGreaterThan(old.getTime())
    store.close()
  })

  test('does not end well where a pack that it leans on was removed meanwhile', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    addVersion(store, 'first')
    const digest = digestOf(Buffer.from('first'))
    const writer = new StoreWriter(store)
    expect([...writer.claimChunks(digest)]).toEqual([0])
    rmSync(packPath(root, store.index.find('chunk', digest)!.pack))
    const { code, retryable, hint } = varveErrorOf(() => writer.finish())
    expect([code, retryable]).toEqual(['MISSING_BYTES', true])
    expect(hint).toContain('again')
    store.close()
  })
})

describe('unfinished files', () => {
  test('of processes that are gone are swept, of those that live they are not', () => {
    const root = makeTemporaryFolder()
    const store = Store.open(root)
    const living = new PackWriter({ root, class: 'data', onSealed: () => {} })
    living.append('chunk', numberedDigest(1), Buffer.from('x'))
    const dead = spawnSync(process.execPath, ['-e', '0']).pid
    const left = temporaryPath(temporaryFolder(root)).replace(`-${process.pid}-`, `-${dead}-`)
    writeFileSync(left, 'half a pack')
    const leftFolder = `${left}0`
    mkdirSync(leftFolder)
    expect(readdirSync(temporaryFolder(root))).toHaveLength(3)
    const writer = new StoreWriter(store)
    expect(readdirSync(temporaryFolder(root))).toHaveLength(1)
    expect([existsSync(left), existsSync(leftFolder)]).toEqual([false, false])
    living.seal()
    expect(packsIn(root)).toHaveLength(1)
    writer.abort()
    store.close()
  })
})
