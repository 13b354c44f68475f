import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../../core/content-id.ts'
import type { PackName } from '../../../../core/format/pack.ts'
import { encodeTree } from '../../../../core/format/tree.ts'
import type { Remote } from '../../../../core/remote.ts'
import { PackWriter } from '../../../../core/store/pack-writer.ts'
import { writeSegment } from '../../../../core/store/segment-writer.ts'
import { packKey, segmentKey, segmentPath } from '../../../../core/store/store-layout.ts'
import { StoreWriter } from '../../../../core/store/store-writer.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { noise } from '../../../support/build-store.ts'
import {
  entriesOn,
  fetch,
  keysOf,
  makeClone,
  packsOn,
  push,
  readElsewhere,
  readVersion,
  reopen,
} from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

describe('whole packs', () => {
  /**
   * A store with one data pack of `chunks` chunks of a MiB, or several that each have `each`, and a version that wants
   * the first `wanted` of them.
   */
  function storeWithPacks(remote: Remote, chunks: number, { wanted = chunks, each = chunks } = {}) {
    const clone = makeClone(remote)
    const writer = new StoreWriter(clone.store)
    const packs: string[] = []
    const pack = new PackWriter({
      root: clone.store.root,
      class: 'data',
      onSealed: (sealed) => {
        packs.push(sealed.name)
        writer.addPack(sealed)
      },
    })
    const contents = Array.from({ length: chunks }, (_, i) => noise(1 << 20, i + 1))
    for (const [i, content] of contents.entries()) {
      pack.append('chunk', digestOf(content), content)
      if ((i + 1) % each === 0) pack.seal()
    }
    pack.seal()
    writer.finish()
    const files = Object.fromEntries(contents.slice(0, wanted).map((content, i) => [`f${i}`, content]))
    // Cut here, these files would have several chunks; as they lie in the store they have one.
    const entry = addListing(clone.store, files)
    return { clone, entry, packs, contents }
  }

  function addListing(store: ReturnType<typeof makeClone>['store'], files: Record<string, Buffer>) {
    const writer = new StoreWriter(store)
    const listing = encodeTree(
      Object.entries(files).map(([name, bytes]) => ({
        kind: 'file' as const,
        name,
        sizeBytes: bytes.length,
        digest: digestOf(bytes),
      })),
    )
    const digest = writer.addMetadataBlob(listing)
    writer.finish()
    return { kind: 'dir' as const, name: 'data', sizeBytes: 0, digest }
  }

  test('are sent as they are where all in them is wanted and they are half full', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs } = storeWithPacks(remote, 33)
    await push(clone, [entry])
    expect(await packsOn(remote)).toContain(packKey(packs[0] as never))
    expect((await readElsewhere(remote, entry)).size).toBe(33)
  })

  test('that are damaged do not arrive, wherever the damage is', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs } = storeWithPacks(remote, 33)
    clone.store.close()
    const path = join(clone.store.root, packKey(packs[0] as never))
    const good = readFileSync(path)
    chmodSync(path, 0o644)
    for (const at of [20, 17 << 20, good.length - 10_000]) {
      const bytes = Buffer.from(good)
      bytes[at]! ^= 1
      writeFileSync(path, bytes)
      const { code, message, hint } = await varveErrorFrom(push(reopen(clone), [entry]))
      expect(code).toBe('CORRUPT')
      expect(message).toContain(packs[0])
      expect(hint).toContain('nothing damaged was sent')
      expect(await packsOn(remote)).not.toContain(packKey(packs[0] as never))
      expect((await keysOf(remote)).filter((key) => /^index|[.]final$/.test(key))).toEqual([])
    }
    writeFileSync(path, good)
    await push(reopen(clone), [entry])
    expect((await readElsewhere(remote, entry)).size).toBe(33)
  })

  test('whose name the remote has buried are cut anew: that name is never used again', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs } = storeWithPacks(remote, 33)
    await push(clone, [entry])
    const [buried] = packs as PackName[]
    const root = makeTemporaryFolder()
    const name = writeSegment(root, { rows: [], mostRows: 0, packs: [], tombstones: [buried!] })
    await remote.write(segmentKey(name), sourceOf(readFileSync(segmentPath(root, name))))
    await remote.remove(packKey(buried!))
    const again = reopen(clone)
    expect((await push(again, [entry])).packs).toBe(1)
    expect(await packsOn(remote)).not.toContain(packKey(buried!))
    expect((await readElsewhere(remote, entry)).size).toBe(33)
    const stranger = makeClone(remote, 'e'.repeat(32))
    await fetch(stranger, [entry])
    expect(readVersion(stranger.store, entry).size).toBe(33)
  })

  test('are joined where they are not half full', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs } = storeWithPacks(remote, 20, { each: 10 })
    expect(packs).toHaveLength(2)
    await push(clone, [entry])
    const sent = await packsOn(remote)
    expect(sent).toHaveLength(2)
    for (const pack of packs) expect(sent).not.toContain(packKey(pack as never))
    expect((await readElsewhere(remote, entry)).size).toBe(20)
  })

  test('are sent as they are where there is nothing to join them with', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs } = storeWithPacks(remote, 20)
    const pushed = await push(clone, [entry])
    expect(pushed.packs).toBe(2)
    const sent = await packsOn(remote)
    // Of data and of metadata.
    expect(sent.toSorted()).toEqual([...clone.store.index.packs()].map(packKey).toSorted())
    expect(sent).toContain(packKey(packs[0] as never))
    expect((await readElsewhere(remote, entry)).size).toBe(20)
  })

  test('are cut anew where one entry in them is not wanted, and that one never leaves', async () => {
    const remote = createMemoryRemote()
    const { clone, entry, packs, contents } = storeWithPacks(remote, 40, { wanted: 39 })
    await push(clone, [entry])
    expect(await packsOn(remote)).not.toContain(packKey(packs[0] as never))
    const sent = (await entriesOn(remote)).map(({ digest }) => hexOf(digest))
    expect(sent).toContain(hexOf(digestOf(contents[0]!)))
    expect(sent).not.toContain(hexOf(digestOf(contents[39]!)))
  })
})
