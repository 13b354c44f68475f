import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../../core/content-id.ts'
import type { PackName } from '../../../../core/format/pack.ts'
import { encodeTree, type TreeEntry } from '../../../../core/format/tree.ts'
import type { Key, Remote } from '../../../../core/remote.ts'
import { StoreWriter } from '../../../../core/store/store-writer.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion, type Content, noise, plantRecipe } from '../../../support/build-store.ts'
import { flip } from '../../../support/damage.ts'
import {
  type Clone,
  entriesOn,
  fetch,
  keysOf,
  makeClone,
  overwriteKey,
  push,
  REPOSITORY,
  readKey,
  readVersion,
  reopen,
  unpack,
} from '../../../support/remote-fixture.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const CONTENT = {
  train: { a: 'one', b: noise(400_000, 1) },
  test: { c: 'two', d: noise(300_000, 2) },
  e: '',
}

async function pushed(
  content: Content = CONTENT,
): Promise<{ remote: Remote; entry: TreeEntry; source: Clone }> {
  const remote = createMemoryRemote()
  const source = makeClone(remote)
  const entry = addVersion(source.store, content)
  await push(source, [entry])
  return { remote, entry, source }
}

async function packOfClass(remote: Remote, wanted: 'data' | 'metadata'): Promise<Key> {
  for (const key of await keysOf(remote, 'packs/')) {
    if ((await readKey(remote, key))[12] === (wanted === 'data' ? 0 : 1)) return key
  }
  return expect.fail(`no ${wanted} pack`)
}

/** Everything in a store's folder, but for what is temporary. */
function filesOf(clone: Clone): string[] {
  return readdirSync(clone.store.root, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(pack|idx)$/.test(path))
    .sort()
}

describe('a fetch', () => {
  test('of a whole version brings all of it, and a second one nothing', async () => {
    const { remote: inner, entry, source } = await pushed()
    const { remote, counts } = withCounting(inner)
    const clone = makeClone(remote)
    const { packs, bytes } = await fetch(clone, [entry])
    expect(packs).toBe(2)
    expect(bytes).toBeGreaterThan(700_000)
    expect(readVersion(clone.store, entry)).toEqual(readVersion(source.store, entry))
    const before = { ...counts }
    expect(await fetch(clone, [entry])).toEqual({ packs: 0, bytes: 0 })
    expect({ ...counts, list: 0 }).toEqual({ ...before, list: 0 })
    expect(counts.list).toBe(before.list + 1)
    expect(readdirSync(join(clone.store.root, 'tmp'))).toEqual([])
  })

  test('of a part brings that part, by ranges', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, noise(100_000, i + 1)]))
    const { remote: inner, entry } = await pushed({ train: files, test: { small: 'small' } })
    const { remote, counts } = withCounting(inner)
    const clone = makeClone(remote)
    const { bytes } = await fetch(clone, [entry], { paths: ['data/train/f7', 'data/test/**'] })
    expect(counts.bytesRead).toBeLessThan(400_000)
    expect(bytes).toBeLessThan(200_000)
    for (const content of [files.f7!, Buffer.from('small')]) {
      const chunks = [...clone.store.chunks(digestOf(content))]
      const read = Buffer.concat(chunks.map(({ digest }) => clone.store.readEntry('chunk', digest)))
      expect(read.equals(content)).toBe(true)
    }
    const [first] = clone.store.chunks(digestOf(files.f8!))
    expect(clone.store.has('chunk', first!.digest)).toBe(false)
    expect(await fetch(clone, [entry], { paths: ['data/train/f7'] })).toEqual({ packs: 0, bytes: 0 })
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry).size).toBe(41)
  })

  test('of a new version brings what is new', async () => {
    const { remote, entry, source } = await pushed()
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    const changed = addVersion(source.store, { ...CONTENT, new: noise(50_000, 8) })
    await push(source, [changed])
    const { bytes } = await fetch(clone, [changed])
    expect(bytes).toBeLessThan(60_000)
    expect(readVersion(clone.store, changed)).toEqual(readVersion(source.store, changed))
  })

  test('without a record finds all by the index, level by level', async () => {
    const deep = { x: { y: { z: { file: noise(300_000, 4), other: 'other' } } }, top: 'top' }
    const { remote, entry, source } = await pushed(deep)
    const clone = makeClone(remote, 'f'.repeat(32))
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry)).toEqual(readVersion(source.store, entry))
  })

  test('finds a listing that is byte for byte a file, in the pack where the file is', async () => {
    // The listing of an empty directory is the byte 1: here the file comes first, and both are one chunk.
    const { remote, entry, source } = await pushed({ file: '\u0001', 'z-empty': {} })
    expect((await entriesOn(remote)).filter(({ raw }) => raw.equals(Buffer.from([1])))).toHaveLength(1)
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry)).toEqual(readVersion(source.store, entry))
    expect(clone.store.hasBlob(digestOf(Buffer.from([1])))).toBe(true)
  })

  test('of parts that were pushed one by one adds up', async () => {
    const remote = createMemoryRemote()
    const source = makeClone(remote)
    const entry = addVersion(source.store, CONTENT)
    for (const part of ['data/train', 'data/test', 'data/e']) await push(source, [entry], { paths: [part] })
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry).size).toBe(5)
  })

  test('heals a store whose pack was lost', async () => {
    const { remote, entry } = await pushed()
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    for (const path of filesOf(clone).filter((file) => file.endsWith('.pack')))
      rmSync(join(clone.store.root, path))
    const again = reopen(clone)
    expect((await fetch(again, [entry])).packs).toBe(2)
    expect(readVersion(again.store, entry).size).toBe(5)
  })

  test('of what the remote lacks names it, and the remedy', async () => {
    const { remote } = await pushed()
    const source = makeClone(remote)
    const entry = addVersion(source.store, { a: 'never pushed' })
    const { code, message, hint } = await varveErrorFrom(fetch(makeClone(remote), [entry]))
    expect(code).toBe('MISSING_BYTES')
    expect(message).toContain('memory lacks chunk b3:')
    expect(message).toContain('of data')
    expect(hint).toContain('varve push')
  })
})

describe('bytes that were damaged on their way', () => {
  /** A remote that turns a byte of the first `times` reads of which `is` holds. */
  function garbling(inner: Remote, times: number, is: (key: Key, isRanged: boolean) => boolean): Remote {
    let left = times
    return {
      ...inner,
      async read(key, options) {
        const stream = await inner.read(key, options)
        if (!is(key, options?.range !== undefined) || left-- <= 0) return stream
        const bytes = Buffer.concat(await stream.toArray())
        return Readable.from([flip(bytes, bytes.length >> 1)])
      },
    }
  }

  test('are asked for again, in whole packs', async () => {
    const { remote, entry, source } = await pushed()
    const isPack = (key: Key) => key.startsWith('packs/')
    const clone = makeClone(garbling(remote, 1, isPack))
    expect((await fetch(clone, [entry])).packs).toBe(2)
    expect(readVersion(clone.store, entry)).toEqual(readVersion(source.store, entry))
    const { code } = await varveErrorFrom(fetch(makeClone(garbling(remote, 20, isPack)), [entry]))
    expect(code).toBe('CORRUPT')
  })

  test('are asked for again where a thread has already been told that there is no more', async () => {
    const { remote: inner, entry, source } = await pushed({ large: noise(5_000_000, 9) })
    const { remote, counts } = withCounting(inner)
    const data = await packOfClass(inner, 'data')
    const clone = makeClone(garbling(remote, 1, (key) => key === data))
    counts.read = 0
    await fetch(clone, [entry])
    // The format or nothing, the record, the metadata, and the data twice.
    expect(counts.read).toBe(4)
    expect(readVersion(clone.store, entry)).toEqual(readVersion(source.store, entry))
    const { code } = await varveErrorFrom(
      fetch(makeClone(garbling(remote, 20, (key) => key === data)), [entry]),
    )
    expect(code).toBe('CORRUPT')
  })

  test('are asked for again, in ranges', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, noise(100_000, i + 1)]))
    const { remote, entry } = await pushed(files)
    const isData = (key: Key, isRanged: boolean) => key.startsWith('packs/') && isRanged
    let seen = 0
    // The first ranged read is that of the table.
    const second = (key: Key, isRanged: boolean) => isData(key, isRanged) && ++seen > 1
    const clone = makeClone(garbling(remote, 1, second))
    await fetch(clone, [entry], { paths: ['data/f7'] })
    const chunks = [...clone.store.chunks(digestOf(files.f7!))]
    const read = Buffer.concat(chunks.map(({ digest }) => clone.store.readEntry('chunk', digest)))
    expect(read.equals(files.f7!)).toBe(true)
  })
})

describe('a damaged remote', () => {
  /** What a fetch of a damaged remote ends in; the store has then nothing that it cannot read. */
  async function failureOf(remote: Remote, entry: TreeEntry, paths?: string[]) {
    const clone = makeClone(remote)
    const error = await varveErrorFrom(fetch(clone, [entry], paths === undefined ? {} : { paths }))
    expect(readdirSync(join(clone.store.root, 'tmp'))).toEqual([])
    for (const path of filesOf(clone).filter((file) => file.endsWith('.pack'))) {
      const name = path.slice(-69, -5) as PackName
      unpack(readFileSync(join(clone.store.root, path)), name)
    }
    return error
  }

  test.each(['data', 'metadata'] as const)(
    'in a %s pack is an error that names it, at whatever byte',
    async (packClass) => {
      const { remote, entry } = await pushed({ a: 'one', b: 'two', c: { d: 'three' } })
      const key = await packOfClass(remote, packClass)
      const whole = await readKey(remote, key)
      for (let at = 0; at < whole.length; at += 3) {
        await overwriteKey(remote, key, () => flip(whole, at))
        if (at === 12) continue // The class, which the record says too.
        const { code, message, hint } = await failureOf(remote, entry)
        expect(['CORRUPT', 'MALFORMED', 'TOO_NEW'], `byte ${at}`).toContain(code)
        expect(message).toContain(key.slice(-69, -5))
        expect(hint).toContain(`remove ${key} from the remote`)
      }
      for (const length of [0, 10, 40, whole.length - 1]) {
        await overwriteKey(remote, key, () => whole.subarray(0, length))
        const { code, message } = await failureOf(remote, entry)
        expect(['CORRUPT', 'MALFORMED']).toContain(code)
        expect(message).toContain(key.slice(-69, -5))
      }
      await overwriteKey(remote, key, () => Buffer.concat([whole, Buffer.alloc(1)]))
      expect((await failureOf(remote, entry)).code).toBe('HOSTILE')
      await overwriteKey(remote, key, () => whole)
      await fetch(makeClone(remote), [entry])
    },
  )

  test('in what a range holds is an error that names the pack, and keeps nothing of it', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, noise(100_000, i + 1)]))
    const { remote, entry } = await pushed(files)
    const key = await packOfClass(remote, 'data')
    const whole = await readKey(remote, key)
    const wanted = unpack(whole, key.slice(-69, -5) as PackName).find(({ raw }) =>
      files.f5!.subarray(0, raw.length).equals(raw),
    )!
    await overwriteKey(remote, key, () => flip(whole, wanted.offset + 50))
    const error = await failureOf(remote, entry, ['data/f5'])
    expect(error.code).toBe('CORRUPT')
    expect(error.message).toContain(key.slice(-69, -5))
    await overwriteKey(remote, key, () => whole.subarray(0, wanted.offset + 10))
    expect(['CORRUPT', 'MALFORMED']).toContain((await failureOf(remote, entry, ['data/f5'])).code)
  })

  test('in a segment is an error that names it, and the cache is as it was', async () => {
    const { remote, entry } = await pushed()
    const [key] = await keysOf(remote, 'index/')
    const whole = await readKey(remote, key!)
    for (const damage of [
      flip(whole, 0),
      flip(whole, whole.length - 1),
      whole.subarray(0, 4096),
      Buffer.alloc(0),
    ]) {
      await overwriteKey(remote, key!, () => damage)
      const clone = makeClone(remote, 'f'.repeat(32))
      const { code, message, hint } = await varveErrorFrom(fetch(clone, [entry]))
      expect(code).toBe('CORRUPT')
      expect(message).toContain(key)
      expect(hint).toContain(`remove ${key} from the remote`)
      await overwriteKey(remote, key!, () => whole)
      await fetch(clone, [entry])
      expect(readVersion(clone.store, entry).size).toBe(5)
    }
  })

  test('with a segment that is named rightly and is none does not spoil the cache', async () => {
    const { remote, entry } = await pushed()
    const junk = Buffer.alloc(8192, 7)
    const key = `index/${hexOf(digestOf(junk))}.idx`
    await remote.write(key, sourceOf(junk))
    const clone = makeClone(remote, 'f'.repeat(32))
    const { message } = await varveErrorFrom(fetch(clone, [entry]))
    expect(message).toContain(key)
    await remote.remove(key)
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry).size).toBe(5)
  })

  test('in a record is an error that names it', async () => {
    const { remote, entry } = await pushed()
    const [key] = await keysOf(remote, `roots/${REPOSITORY}/`)
    const whole = await readKey(remote, key!)
    for (const damage of [flip(whole, 20), whole.subarray(0, 30), Buffer.alloc(0)]) {
      await overwriteKey(remote, key!, () => damage)
      const clone = makeClone(remote)
      const { code, message } = await varveErrorFrom(fetch(clone, [entry]))
      expect(code).toBe('CORRUPT')
      expect(message).toContain(key!.slice(-70, -6))
      expect(filesOf(clone)).toEqual([])
      await overwriteKey(remote, key!, () => whole)
      await fetch(clone, [entry])
    }
  })

  test('whose pack fails after others came keeps those, and the next fetch goes on', async () => {
    const remote = createMemoryRemote()
    const source = makeClone(remote)
    const entries = [1, 2, 3].map((seed) => addVersion(source.store, { f: noise(200_000, seed) }, `v${seed}`))
    for (const entry of entries) await push(source, [entry])
    const keys = await keysOf(remote, 'packs/')
    const data: Key[] = []
    for (const key of keys) if ((await readKey(remote, key))[12] === 0) data.push(key)
    const bad = data.at(-1)!
    const whole = await readKey(remote, bad)
    await overwriteKey(remote, bad, () => flip(whole, 100))
    const clone = makeClone(remote)
    await varveErrorFrom(fetch(clone, entries, { jobs: 1 }))
    await overwriteKey(remote, bad, () => whole)
    const kept = filesOf(clone).filter((path) => path.endsWith('.pack')).length
    expect(kept).toBeGreaterThanOrEqual(3)
    expect((await fetch(clone, entries)).packs).toBe(6 - kept)
    for (const entry of entries) readVersion(clone.store, entry)
  })
})

describe('recipes that lie', () => {
  const big = noise(500_000, 21)
  const other = noise(500_000, 22)

  /** A remote on which a metadata pack says that `big` is made of what `other` is made of. */
  async function remoteWithLie() {
    const remote = createMemoryRemote()
    const liar = makeClone(remote)
    const listed = addVersion(liar.store, { other }, 'lie')
    const truth = liar.store.recipeOf(digestOf(other))!
    const falsehood = { rootNode: Buffer.from(truth.rootNode), lengthBytes: truth.lengthBytes }
    liar.store.close()
    plantRecipe(liar.store.root, digestOf(big), falsehood)
    const again = reopen(liar)
    // The listing names big under its true id; the lie is what this store takes for its recipe.
    const writer = new StoreWriter(again.store)
    const listing = encodeTree([{ kind: 'file', name: 'big', sizeBytes: big.length, digest: digestOf(big) }])
    const entry = {
      kind: 'dir' as const,
      name: 'data',
      sizeBytes: big.length,
      digest: writer.addMetadataBlob(listing),
    }
    writer.finish()
    await push(again, [entry, listed])
    return { remote, entry }
  }

  test('do not break a push: the true one is sent beside them', async () => {
    const { remote, entry } = await remoteWithLie()
    const honest = makeClone(remote)
    expect(addVersion(honest.store, { big })).toEqual(entry)
    await push(honest, [entry])
    const recipes = (await entriesOn(remote)).filter(
      ({ kind, digest }) => kind === 'recipe' && Buffer.from(digest).equals(digestOf(big)),
    )
    expect(recipes).toHaveLength(2)
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    expect(readVersion(clone.store, entry).size).toBe(1)
  })

  test('that were fetched do not keep what is true from being added and pushed', async () => {
    const { remote, entry } = await remoteWithLie()
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    addVersion(clone.store, { big })
    expect(readVersion(clone.store, entry).size).toBe(1)
    await push(clone, [entry])
    const other = makeClone(remote)
    await fetch(other, [entry])
    expect(readVersion(other.store, entry).size).toBe(1)
  })

  test('alone never give a wrong file', async () => {
    const { remote, entry } = await remoteWithLie()
    const clone = makeClone(remote)
    await fetch(clone, [entry])
    expect(() => readVersion(clone.store, entry)).toThrow('data/big has other bytes')
  })
})
