import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, test, vi } from 'vitest'
import { contentIdFromDigest, digestOf } from '../../../core/content-id.ts'
import { VarveError } from '../../../core/errors.ts'
import type { TreeEntry } from '../../../core/format/tree.ts'
import { PathFilter } from '../../../core/path-filter.ts'
import type { Remote } from '../../../core/remote.ts'
import { walkTree } from '../../../core/store/find-in-tree.ts'
import { Store } from '../../../core/store/store.ts'
import { fetchVersions } from '../../../core/transfer/fetch/fetch-versions.ts'
import { RemoteChunks } from '../../../core/transfer/fetch/remote-chunks.ts'
import { RemoteView } from '../../../core/transfer/view/remote-view.ts'
import { createWorkers } from '../../../core/workers/workers.ts'
import { FilePlacer } from '../../../core/workspace/file-placer.ts'
import type { FileToWrite } from '../../../core/workspace/plan-checkout.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { addVersion, noise } from '../../support/build-store.ts'
import { flip } from '../../support/damage.ts'
import { makeFolder } from '../../support/git-fixture.ts'
import { randomNumbers } from '../../support/random-numbers.ts'
import { makeClone, push, REPOSITORY } from '../../support/remote-fixture.ts'

// Packs of a size that makes many of little data.
vi.mock('../../../core/format/pack.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../../core/format/pack.ts')>()),
  TARGET_PACK_BYTES: { data: 700_000, metadata: 8 << 20 },
}))

const CUT_OFF = new VarveError('REMOTE_FAILED', 'cut off')

test('wherever it is cut off, in the end every file has its bytes', async () => {
  const random = randomNumbers(1)
  const files = randomFiles(random)
  const server = createMemoryRemote()
  const source = makeClone(server)
  const entry = addVersion(source.store, Object.fromEntries(files))
  await push(source, [entry])
  const root = makeFolder()
  const folders = { store: join(makeFolder(), 'store'), view: join(makeFolder(), 'view') }
  const { pid } = spawnSync(process.execPath, ['-e', ''])
  let cuts = 0
  for (let isDone = false; !isDone; ) {
    isDone = await placeAll(entry, { root, folders, remote: unreliable(server, random, cuts < 12) })
    if (!isDone) cuts++
    for (const [path, bytes] of files) {
      const at = join(root, 'data', path)
      if (existsSync(at)) expect(digestOf(readFileSync(at)), path).toEqual(digestOf(bytes))
      else expect(isDone, path).toBe(false)
    }
    abandonParts(join(root, 'data'), pid!, random)
  }
  expect(cuts).toBeGreaterThan(3)
})

/** Of a few blocks, so that files share chunks within and among them; some small, some empty, one worth going on with. */
function randomFiles(random: (end: number) => number): [string, Buffer][] {
  const blocks = Array.from({ length: 6 }, (_, i) => noise(1 + random(400_000), i + 1))
  const some = (count: number) => Buffer.concat(Array.from({ length: count }, () => blocks[random(6)]!))
  const files = Array.from({ length: 30 }, (_, i): [string, Buffer] => [
    `f${i}`,
    random(3) === 0 ? Buffer.from('x'.repeat(random(3))) : some(1 + random(4)),
  ])
  return [...files, ['large', Buffer.concat([some(20), noise(9_000_000, 99), some(5)])]]
}

/** A remote of which reads fail, are damaged, or end early, by lot. */
function unreliable(inner: Remote, random: (end: number) => number, isCut: boolean): Remote {
  let left = isCut ? random(20) : Number.POSITIVE_INFINITY
  return {
    ...inner,
    async read(key, options) {
      if (left-- <= 0) throw CUT_OFF
      const stream = await inner.read(key, options)
      if (random(6) !== 0 || options?.range === undefined) return stream
      const bytes = Buffer.concat(await stream.toArray())
      return Readable.from([flip(bytes, random(bytes.length))])
    },
  }
}

/** One run of a pull, with everything opened anew: what is in place already is not asked for. */
async function placeAll(
  entry: TreeEntry,
  place: { root: string; folders: { store: string; view: string }; remote: Remote },
): Promise<boolean> {
  if (entry.kind === 'link') throw new Error('a link has no bytes')
  const { root, folders, remote } = place
  const store = Store.open(folders.store)
  const view = new RemoteView({ remote, folder: folders.view, repositoryId: REPOSITORY })
  const workers = createWorkers({ threads: 2 })
  const id = contentIdFromDigest(entry.digest)
  const versions = [{ path: 'data', id, entry, filter: PathFilter.everything }]
  try {
    await view.refreshRecords()
    await fetchVersions({ store, view, workers, versions, jobs: 3, metadataOnly: true })
    const files: FileToWrite[] = []
    for (const { path, entry: at } of walkTree(store, entry, 'data')) {
      if (at.kind === 'dir' || at.kind === 'link' || existsSync(join(root, path))) continue
      mkdirSync(dirname(join(root, path)), { recursive: true })
      const { digest, sizeBytes } = at
      files.push({ path, digest, sizeBytes, executable: false, replaces: undefined })
    }
    const cache = StatCache.open(join(makeFolder(), 'stat-cache'))
    const source = new RemoteChunks({ store, view, workers, ids: [id], jobs: 3 })
    const placer = await FilePlacer.prepare({ root, store, cache, workers, files, source })
    await placer.write()
    return true
  } catch (error) {
    if (error === CUT_OFF) return false
    throw error
  } finally {
    view.close()
    store.close()
  }
}

/** As if the process had ended, with the machine if need be: what a part holds is then anything. */
function abandonParts(folder: string, pid: number, random: (end: number) => number): void {
  const parts = existsSync(folder) ? readdirSync(folder).filter((name) => name.includes('.~varve-part-')) : []
  for (const part of parts) {
    const path = join(folder, part.replace(`-${process.pid}-`, `-${pid}-`))
    renameSync(join(folder, part), path)
    const bytes = readFileSync(path)
    if (random(3) === 0) truncateSync(path, random(bytes.length + 1))
    else if (bytes.length > 0 && random(2) === 0) writeFileSync(path, flip(bytes, random(bytes.length)))
  }
}
