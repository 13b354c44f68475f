import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../../core/content-id.ts'
import { VarveError } from '../../../../core/errors.ts'
import type { Remote } from '../../../../core/remote.ts'
import { packKey } from '../../../../core/store/store-layout.ts'
import { StoreWriter } from '../../../../core/store/store-writer.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion, noise } from '../../../support/build-store.ts'
import {
  entriesOn,
  fetch,
  intercepting,
  keysOf,
  makeClone,
  overwriteKey,
  packsOn,
  push,
  readElsewhere,
  readKey,
  readVersion,
  reopen,
} from '../../../support/remote-fixture.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const SMALL = { a: 'one', b: { c: 'two', d: '' }, big: noise(500_000, 1) }

describe('a push', () => {
  test('sends every entry once, and what another clone needs', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    const { packs, bytes } = await push(clone, [entry])
    const keys = await packsOn(remote)
    expect(packs).toBe(keys.length)
    const sizes = await Promise.all(keys.map(async (key) => (await readKey(remote, key)).length))
    expect(bytes).toBe(sizes.reduce((sum, size) => sum + size))
    const names = (await entriesOn(remote)).map(({ kind, digest }) => `${kind} ${hexOf(digest)}`)
    expect(new Set(names).size).toBe(names.length)
    expect(await readElsewhere(remote, entry)).toEqual(readVersion(clone.store, entry))
  })

  test('leaves a format, packs, a segment and a final record, and no intent', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    await push(clone, [addVersion(clone.store, SMALL)])
    const keys = await keysOf(remote)
    expect(keys.map((key) => key.replace(/[0-9a-f]{64}/, 'NAME').replace(/\/[0-9a-f]{2}\//, '/XX/'))).toEqual(
      [
        'index/NAME.idx',
        'packs/XX/NAME.pack',
        'packs/XX/NAME.pack',
        'published.json',
        'roots/0123456789abcdef0123456789abcdef/NAME.final',
        'varve.json',
      ],
    )
    expect(JSON.parse((await readKey(remote, 'varve.json')).toString())).toEqual({
      version: 1,
      chunking: 'rot256-v1',
      encryption: null,
    })
    expect(readdirSync(join(clone.view.folder, 'sent'))).toEqual([])
    expect(readdirSync(join(clone.view.folder, 'tmp'))).toEqual([])
  })

  test('of nothing new sends no pack', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    await push(clone, [entry])
    const [packs, segments] = [await packsOn(remote), await keysOf(remote, 'index/')]
    for (const open of [() => clone, () => reopen(clone)]) {
      const again = open()
      counts.bytesWritten = 0
      expect(await push(again, [entry])).toMatchObject({ packs: 0, bytes: 0 })
      expect(counts.bytesWritten).toBeLessThan(2000)
    }
    expect([await packsOn(remote), await keysOf(remote, 'index/')]).toEqual([packs, segments])
  })

  test('of a small change sends little', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const clone = makeClone(remote)
    const files = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`file ${i}`, `content ${i}`]))
    const large = noise(8 << 20, 5)
    await push(clone, [addVersion(clone.store, { files, large })])
    counts.bytesWritten = 0
    large[4 << 20]! ^= 1
    const changed = addVersion(clone.store, { files: { ...files, 'file 7': 'changed' }, large })
    await push(clone, [changed])
    // One or two chunks of the file, one or two of the listing, the root, a node.
    expect(counts.bytesWritten).toBeLessThan(700_000)
    expect(await readElsewhere(remote, changed)).toEqual(readVersion(clone.store, changed))
  })

  test('of several versions sends what they share once, and each is there', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entries = ['x', 'y', 'z'].map((text) => addVersion(clone.store, { ...SMALL, text }, text))
    await push(clone, entries)
    const big = (await entriesOn(remote)).filter(({ digest }) => hexOf(digest) === hexOf(digestOf(SMALL.big)))
    expect(big.filter(({ kind }) => kind === 'recipe')).toHaveLength(1)
    for (const entry of entries) {
      expect((await readElsewhere(remote, entry)).size).toBe(5)
    }
  })

  test('does not send what another repository sent', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const [mine, theirs] = [makeClone(remote), makeClone(remote, 'f'.repeat(32))]
    await push(theirs, [addVersion(theirs.store, SMALL)], { repositoryId: 'f'.repeat(32) })
    counts.bytesWritten = 0
    const entry = addVersion(mine.store, SMALL)
    expect(await push(mine, [entry])).toMatchObject({ packs: 0, bytes: 0 })
    expect(counts.bytesWritten).toBeLessThan(2000)
    expect(await readElsewhere(remote, entry)).toEqual(readVersion(mine.store, entry))
  })

  test('of what is nowhere is refused before anything is sent', async () => {
    const remote = createMemoryRemote()
    const [full, empty] = [makeClone(remote), makeClone(remote)]
    const entry = addVersion(full.store, { a: 'one', b: 'two' })
    // The listing alone: what it lists is in no store and on no remote.
    const writer = new StoreWriter(empty.store)
    writer.addMetadataBlob(full.store.readMetadataBlob((entry as { digest: Uint8Array }).digest))
    writer.finish()
    const { code, message } = await varveErrorFrom(push(empty, [entry]))
    expect(code).toBe('MISSING_BYTES')
    expect(message).toContain('data/a')
    expect(message).toContain('and 1 more')
    expect(await keysOf(remote)).toEqual(['varve.json'])
  })

  test('leaves out what is nowhere if it is told to, and sends nothing of it', async () => {
    const remote = createMemoryRemote()
    const [full, half] = [makeClone(remote), makeClone(remote)]
    const partly = addVersion(full.store, { a: 'one', b: 'two' })
    const unknown = addVersion(full.store, { c: 'three' }, 'unknown')
    const writer = new StoreWriter(half.store)
    writer.addMetadataBlob(full.store.readMetadataBlob((partly as { digest: Uint8Array }).digest))
    writer.finish()
    addVersion(half.store, { a: 'one' })
    const whole = addVersion(half.store, { d: 'four' }, 'whole')
    const { unavailable } = await push(half, [partly, whole, unknown], { onMissing: 'leave-out' })
    expect(unavailable.map(({ path }) => path)).toEqual(['data', 'unknown'])
    const texts = (await entriesOn(remote)).map(({ raw }) => raw.toString('latin1'))
    expect([texts.includes('four'), texts.includes('one')]).toEqual([true, false])
    const [record, ...others] = [...half.view.records.values()]
    expect(others).toEqual([])
    expect(record?.pointers.map(({ path }) => path)).toEqual(['whole'])
    const before = await keysOf(remote)
    expect(await push(half, [unknown], { onMissing: 'leave-out' })).toMatchObject({ packs: 0, bytes: 0 })
    expect(await keysOf(remote)).toEqual(before)
  })

  test('of a part sends that part, and says so', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, { train: { a: 'secret of a' }, test: { b: 'secret of b' } })
    await push(clone, [entry], { paths: ['data/train'] })
    const texts = (await entriesOn(remote)).map(({ raw }) => raw.toString('latin1'))
    expect([texts.includes('secret of a'), texts.includes('secret of b')]).toEqual([true, false])
    const [record] = [...clone.view.records.values()]
    expect(record?.pointers).toMatchObject([{ path: 'data', only: ['data/train'] }])
    const { id } = record!.pointers[0]!
    expect(clone.view.holdsWhole(id)).toBe(false)
    await push(clone, [entry])
    expect(clone.view.holdsWhole(id)).toBe(true)
    expect((await readElsewhere(remote, entry)).size).toBe(2)
  })

  test('refuses a remote of a later format, and one that is encrypted', async () => {
    for (const format of [
      { version: 2, chunking: 'rot256-v1', encryption: null },
      { version: 1, chunking: 'other', encryption: null },
      { version: 1, chunking: 'rot256-v1', encryption: { cipher: 'x' } },
    ]) {
      const remote = createMemoryRemote()
      const clone = makeClone(remote)
      await push(makeClone(remote), [])
      await overwriteKey(remote, 'varve.json', () => Buffer.from(JSON.stringify(format)))
      const before = await keysOf(remote)
      const error = await varveErrorFrom(push(clone, [addVersion(clone.store, SMALL)]))
      expect(error.code).toBe('TOO_NEW')
      expect(await keysOf(remote)).toEqual(before)
    }
  })

  test('does not send what is damaged here', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, { a: 'some text' })
    const { pack, offset } = clone.store.index.find('chunk', digestOf(Buffer.from('some text')))!
    clone.store.close()
    const path = join(clone.store.root, packKey(pack))
    chmodSync(path, 0o644)
    const bytes = readFileSync(path)
    bytes[offset]! ^= 1
    writeFileSync(path, bytes)
    const again = reopen(clone)
    const { code, message, hint } = await varveErrorFrom(push(again, [entry]))
    expect(code).toBe('CORRUPT')
    expect(message).toContain(pack)
    expect(hint).toContain('nothing damaged was sent')
    expect(await packsOn(remote)).not.toContain(packKey(pack))
    expect((await keysOf(remote)).filter((key) => /^index|[.]final$/.test(key))).toEqual([])
  })
})

describe('a secret', () => {
  test('in the pack of what is pushed never leaves: no byte of it, in any object', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const secret = `the secret is ${hexOf(digestOf(Buffer.from('secret')))} and more of it`
    const large = Buffer.concat([Buffer.from(secret), noise(300_000, 9)])
    const all = addVersion(clone.store, { open: 'open', secret, 'secret-name.bin': large }, 'all')
    const open = addVersion(clone.store, { open: 'open' }, 'open')
    expect(readVersion(clone.store, all).size).toBe(3)
    const { pack } = clone.store.index.find('chunk', digestOf(Buffer.from(secret)))!
    expect(clone.store.index.find('chunk', digestOf(Buffer.from('open')))!.pack).toBe(pack)
    await push(clone, [open])
    const ids = [secret, large, 'secret-name.bin'].map((content) => digestOf(Buffer.from(content as string)))
    for (const { raw, digest } of await entriesOn(remote)) {
      expect(raw.includes('secret')).toBe(false)
      for (const id of ids) expect(Buffer.from(digest).equals(id)).toBe(false)
    }
    for (const key of await keysOf(remote)) {
      const bytes = await readKey(remote, key)
      expect(bytes.includes('secret')).toBe(false)
      for (const id of ids) expect(bytes.includes(id), key).toBe(false)
    }
  })
})

describe('packs that go from the remote', () => {
  test('are sent again by the next push, and read by those who knew the old ones', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    await push(clone, [entry])
    for (const key of await packsOn(remote)) {
      const reader = makeClone(remote)
      await reader.view.refreshRecords()
      await remote.remove(key)
      const again = reopen(clone)
      expect((await push(again, [entry])).packs).toBe(1)
      await fetch(reader, [entry])
      expect(readVersion(reader.store, entry).size).toBe(4)
      expect((await readElsewhere(remote, entry)).size).toBe(4)
    }
  })

  test('and come back shorter count as gone', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, SMALL)
    await push(clone, [entry])
    for (const key of await packsOn(remote)) await overwriteKey(remote, key, (bytes) => bytes.subarray(0, -7))
    expect((await push(reopen(clone), [entry])).packs).toBe(2)
    expect((await readElsewhere(remote, entry)).size).toBe(4)
  })

  test('during a push end it, with the remedy', async () => {
    const inner = createMemoryRemote()
    const clone = makeClone(inner)
    await push(clone, [addVersion(clone.store, SMALL)])
    const [gone] = await packsOn(inner)
    const remote = intercepting(inner, async (_, key) => {
      if (key.startsWith('packs/')) await inner.remove(gone!)
    })
    const entry = addVersion(clone.store, { ...SMALL, more: 'more' })
    const again = reopen(clone, remote)
    const { code, hint } = await varveErrorFrom(push(again, [entry]))
    expect([code, hint]).toEqual(['REMOTE_FAILED', expect.stringContaining('again')])
    await push(reopen(again, inner), [entry])
    expect((await readElsewhere(inner, entry)).size).toBe(5)
  })
})

test('an error of the remote is passed on', async () => {
  const inner = createMemoryRemote()
  const failure = new VarveError('REMOTE_FAILED', 'no route', { retryable: true })
  const remote: Remote = {
    ...inner,
    stat: () => Promise.reject(failure),
    write: () => Promise.reject(failure),
  }
  const clone = makeClone(remote)
  expect(await varveErrorFrom(push(clone, [addVersion(clone.store, SMALL)]))).toBe(failure)
})
