import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { contentIdFromDigest, digestOf } from '../../../core/content-id.ts'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { PathFilter } from '../../../core/path-filter.ts'
import type { Key, Remote } from '../../../core/remote.ts'
import { walkTree } from '../../../core/store/find-in-tree.ts'
import { fetchVersions } from '../../../core/transfer/fetch/fetch-versions.ts'
import { RemoteChunks } from '../../../core/transfer/fetch/remote-chunks.ts'
import { createWorkers } from '../../../core/workers/workers.ts'
import { FilePlacer } from '../../../core/workspace/file-placer.ts'
import type { FileToWrite } from '../../../core/workspace/plan-checkout.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { withCounting } from '../../../remotes/with-counting.ts'
import { addVersion, type Content, noise, plantRecipe } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { makeFolder } from '../../support/git-fixture.ts'
import {
  type Clone,
  fetch,
  makeClone,
  overwriteKey,
  packsOn,
  push,
  readKey,
  reopen,
} from '../../support/remote-fixture.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const BIG = noise(3_000_000, 1)
const CONTENT = {
  a: 'one',
  again: 'one',
  empty: '',
  big: BIG,
  same: BIG,
  // What several files share, at other places of each.
  longer: Buffer.concat([noise(300_000, 2), BIG, noise(200_000, 3)]),
  sub: { text: 'text '.repeat(100_000), zeros: Buffer.alloc(2_000_000) },
}

/** Content by path. */
function filesOf(content: Content, path = 'data'): [string, Buffer][] {
  if (typeof content === 'string') return [[path, Buffer.from(content)]]
  if (content instanceof Uint8Array) return [[path, Buffer.from(content)]]
  return Object.entries(content).flatMap(([name, inner]) => filesOf(inner, `${path}/${name}`))
}

async function pushed(content: Content): Promise<{ remote: Remote; entry: TreeEntry }> {
  const remote = createMemoryRemote()
  const source = makeClone(remote)
  const entry = addVersion(source.store, content)
  await push(source, [entry])
  return { remote, entry }
}

type Placing = { root: string; prepare(paths?: string[]): Promise<FilePlacer> }

/** A clone that has the metadata of a version, and a workspace that has nothing. */
async function placing(
  clone: Clone,
  entry: TreeEntry,
  options: { signal?: AbortSignal; jobs?: number; root?: string } = {},
): Promise<Placing> {
  const { signal, jobs = 2, root = makeFolder() } = options
  const { store, view } = clone
  if (entry.kind === 'link') throw new Error('a link has no bytes')
  const workers = createWorkers({ threads: 2 })
  const version = { path: 'data', id: contentIdFromDigest(entry.digest), entry }
  const versions = [{ ...version, filter: PathFilter.everything }]
  await view.refreshRecords()
  await fetchVersions({ store, view, workers, versions, jobs: 2, metadataOnly: true })
  const cache = StatCache.open(join(makeFolder(), 'stat-cache'))
  return {
    root,
    prepare(paths) {
      const files: FileToWrite[] = []
      for (const { path, entry: at } of walkTree(store, entry, 'data')) {
        if (at.kind === 'dir' || at.kind === 'link') continue
        if (paths !== undefined && !paths.includes(path)) continue
        mkdirSync(dirname(join(root, path)), { recursive: true })
        const { digest, sizeBytes, kind } = at
        files.push({ path, digest, sizeBytes, executable: kind === 'executable', replaces: undefined })
      }
      const source = new RemoteChunks({ store, view, workers, ids: [version.id], jobs, signal })
      return FilePlacer.prepare({ root, store, cache, workers, files, source, signal })
    },
  }
}

function expectFiles(root: string, content: Content): void {
  for (const [path, bytes] of filesOf(content)) {
    expect(digestOf(readFileSync(join(root, path))), path).toEqual(digestOf(bytes))
  }
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  expect(names.filter((name) => name.includes('.~varve'))).toEqual([])
}

async function dataPackOf(remote: Remote): Promise<Key> {
  for (const key of await packsOn(remote)) if ((await readKey(remote, key))[12] === 0) return key
  return expect.fail('no data pack')
}

/** The recipe of bytes that are in no store here. */
function recipeOf(bytes: Buffer) {
  const { store } = makeClone(createMemoryRemote())
  addVersion(store, bytes)
  return store.recipeOf(digestOf(bytes))!
}

/** A remote that changes the bytes of the first `times` reads of a range of more than 1,000 bytes. */
function garbling(inner: Remote, times: number): Remote {
  let left = times
  return {
    ...inner,
    async read(key, options) {
      const stream = await inner.read(key, options)
      const { range } = options ?? {}
      if (range === undefined || range.start !== 16 || left-- <= 0) return stream
      const bytes = Buffer.concat(await stream.toArray())
      return Readable.from([flip(bytes, bytes.length >> 1)])
    },
  }
}

describe('FilePlacer', () => {
  test('brings files whose chunks the store lacks, each chunk once, and keeps none', async () => {
    const { remote: inner, entry } = await pushed(CONTENT)
    const { remote, counts } = withCounting(inner)
    const clone = makeClone(remote)
    const { root, prepare } = await placing(clone, entry)
    const placer = await prepare()
    expect(readdirSync(root)).toEqual(['data'])
    await placer.write()
    expectFiles(root, CONTENT)
    const { sizeBytes } = (await inner.stat(await dataPackOf(inner)))!
    expect(placer.receivedBytes).toBeLessThanOrEqual(sizeBytes)
    expect(placer.receivedBytes).toBeGreaterThan(3_500_000)
    expect(counts.bytesRead).toBeLessThan(sizeBytes + 50_000)
    expect(clone.store.hasBlob(digestOf(BIG))).toBe(false)
    const kept = readdirSync(join(clone.store.root, 'packs'), { recursive: true, encoding: 'utf8' })
    const packs = kept.filter((name) => name.endsWith('.pack'))
    expect(packs.map((name) => statSync(join(clone.store.root, 'packs', name)).size < 20_000)).toEqual([true])
  })

  test('brings a few files, and reads little else', async () => {
    const { remote: inner, entry } = await pushed(CONTENT)
    const { remote, counts } = withCounting(inner)
    const { root, prepare } = await placing(makeClone(remote), entry)
    const before = counts.bytesRead
    await (await prepare(['data/sub/text', 'data/a'])).write()
    expect(readdirSync(join(root, 'data')).sort()).toEqual(['a', 'sub'])
    expect(readFileSync(join(root, 'data/sub/text'), 'utf8')).toBe(CONTENT.sub.text)
    expect(counts.bytesRead - before).toBeLessThan(400_000)
  })

  test('takes from the store what it has', async () => {
    const { remote: inner, entry } = await pushed(CONTENT)
    const { remote, counts } = withCounting(inner)
    const clone = makeClone(remote)
    await fetch(clone, [entry], { paths: ['data/big'] })
    const { root, prepare } = await placing(clone, entry)
    const before = counts.bytesRead
    await (await prepare()).write()
    expectFiles(root, CONTENT)
    expect(counts.bytesRead - before).toBeLessThan(1_500_000)
  })

  test('without a record finds all by the index', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const { root, prepare } = await placing(makeClone(remote, 'f'.repeat(32)), entry)
    await (await prepare()).write()
    expectFiles(root, CONTENT)
  })

  test('of what the remote lacks is an error before anything is written', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const { root, prepare } = await placing(makeClone(remote), entry)
    await remote.remove(await dataPackOf(remote))
    expect((await varveErrorFrom(prepare())).code).toBe('MISSING_BYTES')
    expect(readdirSync(join(root, 'data'))).toEqual(['sub'])
  })

  test('finds chunks again whose pack has gone since', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const { root, prepare } = await placing(makeClone(remote), entry)
    const placer = await prepare()
    const key = await dataPackOf(remote)
    await remote.remove(key)
    // The same bytes by another push, in packs of other names.
    const source = makeClone(remote)
    await push(source, [addVersion(source.store, { ...CONTENT, other: 'other' })])
    expect(await packsOn(remote)).not.toContain(key)
    await placer.write()
    expectFiles(root, CONTENT)
  })

  test('writes an empty file once, wherever its chunk has come to be', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const clone = makeClone(remote)
    const { root, prepare } = await placing(clone, entry)
    const placer = await prepare()
    addVersion(clone.store, { other: '' })
    await placer.write()
    expectFiles(root, CONTENT)
  })

  test('reads a chunk again whose bytes were turned on their way', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const { root, prepare } = await placing(makeClone(garbling(remote, 1)), entry)
    await (await prepare()).write()
    expectFiles(root, CONTENT)
  })

  test('of a damaged pack is an error that names it, and no wrong file is left', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const key = await dataPackOf(remote)
    const { root, prepare } = await placing(makeClone(remote), entry)
    await overwriteKey(remote, key, (bytes) => flip(bytes, 1_000_000))
    const { code, message, hint } = await varveErrorFrom((await prepare()).write())
    expect(code).toBe('CORRUPT')
    expect(message).toContain(key.slice(-69, -5))
    expect(hint).toContain(`Remove ${key} from the remote`)
    for (const [path, bytes] of filesOf(CONTENT)) {
      if (existsSync(join(root, path))) expect(readFileSync(join(root, path)).equals(bytes), path).toBe(true)
    }
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.includes('.~varve'))).toEqual([])
  })

  test.each([false, true])('is not misled by a recipe that a liar made (first: %s)', async (isFirst) => {
    const lie = noise(BIG.length, 5)
    const { remote, entry } = await pushed({ big: BIG, lie })
    const clone = makeClone(remote)
    const plant = () =>
      plantRecipe(clone.store.root, digestOf(BIG), clone.store.recipeOf(digestOf(lie)) ?? recipeOf(lie))
    if (isFirst) plant()
    await placing(reopen(clone), entry)
    if (!isFirst) plant()
    const again = reopen(clone)
    expect([...again.store.recipes(digestOf(BIG))]).toHaveLength(2)
    const { root, prepare } = await placing(again, entry)
    await (await prepare(['data/big'])).write()
    expectFiles(root, { big: BIG })
  })

  test('that is interrupted leaves no half file, and a later run goes on with what there is', async () => {
    const content = { big: noise(40_000_000, 4), small: 'small' }
    const { remote: inner, entry } = await pushed(content)
    const { remote, counts } = withCounting(inner)
    const ending = new AbortController()
    const ended: Remote = {
      ...remote,
      async read(key, options) {
        const start = options?.range?.start ?? 0
        // The second range of the data.
        if (start > 15 << 20 && start < 17 << 20) ending.abort()
        return remote.read(key, options)
      },
    }
    const first = await placing(makeClone(ended), entry, { signal: ending.signal, jobs: 1 })
    expect((await varveErrorFrom((await first.prepare()).write())).code).toBe('INTERRUPTED')
    const left = readdirSync(join(first.root, 'data')).filter((name) => name !== 'small')
    expect(left).toEqual([expect.stringContaining('.~varve-part-')])
    const { pid } = spawnSync(process.execPath, ['-e', ''])
    const [from] = left
    renameSync(
      join(first.root, 'data', from!),
      join(first.root, 'data', from!.replace(`-${process.pid}-`, `-${pid}-`)),
    )
    rmSync(join(first.root, 'data/small'), { force: true })
    const before = counts.bytesRead
    const { root, prepare } = await placing(makeClone(remote), entry, { root: first.root })
    await (await prepare()).write()
    expectFiles(root, content)
    expect(counts.bytesRead - before).toBeLessThan(30_000_000)
  })

  test('does not overwrite what was put there meanwhile', async () => {
    const { remote, entry } = await pushed(CONTENT)
    const { root, prepare } = await placing(makeClone(remote), entry)
    const placer = await prepare()
    writeFileSync(join(root, 'data/big'), 'mine')
    expect((await varveErrorFrom(placer.write())).code).toBe('WOULD_LOSE_DATA')
    expect(readFileSync(join(root, 'data/big'), 'utf8')).toBe('mine')
  })
})
