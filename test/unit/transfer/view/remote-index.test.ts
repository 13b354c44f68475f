import { chmodSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Remote } from '../../../../core/remote.ts'
import { IndexSet } from '../../../../core/store/index-set.ts'
import { RowBuffer } from '../../../../core/store/row-buffer.ts'
import { segmentPath } from '../../../../core/store/store-layout.ts'
import { tidyRemote } from '../../../../core/transfer/push/tidy-remote.ts'
import { type IndexLimits, RemoteIndex } from '../../../../core/transfer/view/remote-index.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { intercepting, keysOf, overwriteKey, REPOSITORY } from '../../../support/remote-fixture.ts'
import { chunkRows, numberedDigest, packNamed } from '../../../support/rows.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const ROWS = 2000
const MIB = 1 << 20
const HOUR_MS = 3600 * 1000

/** Segments of 100 KB are small, those that are made of eight are not. */
const PARTIAL: Partial<IndexLimits> = { wholeBytes: 0, partBytes: 700_000, buildBytes: 0 }

function rowsOf(pack: number): RowBuffer {
  const rows = new RowBuffer()
  const digests = Array.from({ length: ROWS }, (_, i) => numberedDigest(pack * ROWS + i))
  rows.addPack(packNamed(pack), chunkRows(digests))
  return rows
}

/** Time goes on with each object. */
function timedRemote() {
  let time = Date.UTC(2026, 0, 1)
  const now = () => {
    time += 1000
    return new Date(time)
  }
  const pass = (ms: number) => {
    time += ms
  }
  return { remote: createMemoryRemote({ now }), pass }
}

function viewOf(remote: Remote, indexLimits: Partial<IndexLimits> = {}): RemoteView {
  return new RemoteView({ remote, folder: makeTemporaryFolder(), repositoryId: REPOSITORY, indexLimits })
}

async function writeSegments(remote: Remote, from: number, end: number): Promise<void> {
  const writer = new RemoteIndex({ remote, folder: makeTemporaryFolder() })
  for (let pack = from; pack < end; pack++) await writer.write(rowsOf(pack))
  writer.close()
}

async function merge(remote: Remote, sentBytes = 0): Promise<void> {
  const view = viewOf(remote)
  await view.refreshIndex()
  await tidyRemote(view, { sentBytes })
  view.close()
}

describe('RemoteIndex', () => {
  test('finds every row after merges, here and in a new clone', async () => {
    const { remote } = timedRemote()
    const view = viewOf(remote)
    for (let pack = 0; pack < 20; pack++) {
      await view.refreshIndex()
      await view.segments.write(rowsOf(pack))
      await tidyRemote(view, { sentBytes: 0 })
    }
    for (const one of [view, viewOf(remote)]) {
      await one.refreshIndex()
      expect(one.index.names.length).toBeLessThanOrEqual(14)
      expect(one.isPartial).toBe(false)
      for (let i = 0; i < 20 * ROWS; i += 37) {
        expect(one.index.find('chunk', numberedDigest(i))?.pack).toBe(packNamed(Math.floor(i / ROWS)))
      }
    }
  })

  test('shares its copies with a process that lists before what this one writes is there', async () => {
    const { remote } = timedRemote()
    const folder = makeTemporaryFolder()
    const indexLimits = { sampledBytes: 0 }
    const open = (through: Remote) =>
      new RemoteView({ remote: through, folder, repositoryId: REPOSITORY, indexLimits })
    const beside = open(remote)
    let refreshes = 0
    const view = open(
      intercepting(remote, async () => {
        refreshes++
        await beside.refreshIndex()
      }),
    )
    for (let pack = 0; pack < 9; pack++) {
      await view.refreshIndex()
      await view.segments.write(rowsOf(pack))
      await tidyRemote(view, { sentBytes: 0 })
    }
    // Of each segment a sample, and one more of each: eight are merged.
    expect(refreshes).toBe(2 * 10)
    await view.refreshIndex()
    expect([view.index.names.length, view.index.rowCount]).toEqual([2, 9 * ROWS])
  })

  test('fetches again what is damaged here, and refuses what is damaged there', async () => {
    const { remote } = timedRemote()
    await writeSegments(remote, 0, 1)
    const view = viewOf(remote)
    await view.refreshIndex()
    const [name] = view.index.names
    const copy = segmentPath(view.folder, name!)
    view.close()
    chmodSync(copy, 0o644)
    writeFileSync(copy, 'damaged')
    await view.refreshIndex()
    expect(view.index.has('chunk', numberedDigest(5))).toBe(true)
    const [key] = await keysOf(remote, 'index/')
    await overwriteKey(remote, key!, (bytes) => bytes.subarray(0, 4096))
    const { code, message, hint } = await varveErrorFrom(viewOf(remote).refreshIndex())
    expect([code, hint]).toEqual(['CORRUPT', expect.stringContaining(key!)])
    expect(message).toContain('is damaged')
  })
})

describe('a large index', () => {
  test('is known by its smallest segments, and by the ends of those that may be in their place', async () => {
    const { remote, counts } = withCounting(timedRemote().remote)
    await writeSegments(remote, 0, 8)
    await merge(remote)
    await writeSegments(remote, 8, 10)
    counts.bytesRead = 0
    const view = viewOf(remote, PARTIAL)
    await view.refreshIndex()
    // The eight do not count, though there is room for some: the end of the merged one said so.
    expect(view.index.packs()).toEqual(new Set([packNamed(8), packNamed(9)]))
    expect(view.segments.absent).toHaveLength(1)
    expect(counts.bytesRead).toBeLessThan(400_000)
    // Nor are they merged again.
    const before = await keysOf(remote)
    await tidyRemote(view, { sentBytes: 0 })
    expect(await keysOf(remote)).toEqual(before)
    // What is known of that end is kept.
    counts.read = 0
    const again = new RemoteView({
      remote,
      folder: view.folder,
      repositoryId: REPOSITORY,
      indexLimits: PARTIAL,
    })
    await again.refreshIndex()
    expect([counts.read, again.segments.absent.length]).toEqual([0, 1])
  })

  test('does not take back what this clone has', async () => {
    const { remote } = timedRemote()
    await writeSegments(remote, 0, 3)
    const view = viewOf(remote, { ...PARTIAL, wholeBytes: 10 * MIB })
    await view.refreshIndex()
    await writeSegments(remote, 3, 30)
    const smaller = new RemoteView({
      remote,
      folder: view.folder,
      repositoryId: REPOSITORY,
      indexLimits: { ...PARTIAL, partBytes: 0 },
    })
    await smaller.refreshIndex()
    expect(smaller.index.packs()).toEqual(new Set([0, 1, 2].map(packNamed)))
    expect(smaller.isPartial).toBe(true)
  })

  test('whose segments go is still known by the copies', async () => {
    const { remote, pass } = timedRemote()
    await writeSegments(remote, 0, 8)
    const folder = makeTemporaryFolder()
    const limits = { ...PARTIAL, partBytes: MIB }
    const options = { remote, folder, repositoryId: REPOSITORY, indexLimits: limits }
    const view = new RemoteView(options)
    await view.refreshIndex()
    expect(view.index.packs().size).toBe(8)
    view.close()
    await merge(remote)
    pass(25 * HOUR_MS)
    await writeSegments(remote, 8, 9)
    await merge(remote)
    expect(await keysOf(remote, 'index/')).toHaveLength(2)
    const later = new RemoteView({ ...options, indexLimits: { ...PARTIAL, partBytes: 200_000 } })
    await later.refreshIndex()
    expect(later.index.packs()).toEqual(new Set([packNamed(8)]))
    const known = new IndexSet(later.segments.knownFolder)
    expect(known.packs()).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7].map(packNamed)))
    known.close()
  })

  test('is merged further by who sends much: what is not here is fetched for it', async () => {
    const { remote } = timedRemote()
    await writeSegments(remote, 0, 9)
    const limits = { ...PARTIAL, partBytes: 0 }
    const little = viewOf(remote, limits)
    await little.refreshIndex()
    await tidyRemote(little, { sentBytes: MIB })
    expect(await keysOf(remote, 'index/')).toHaveLength(9)
    const much = viewOf(remote, limits)
    await much.refreshIndex()
    await tidyRemote(much, { sentBytes: 100 * MIB })
    expect(await keysOf(remote, 'index/')).toHaveLength(10)
    const reader = viewOf(remote)
    await reader.refreshIndex()
    expect([reader.index.names.length, reader.index.rowCount]).toEqual([1, 9 * ROWS])
  })

  test('has samples, which go with their segments', async () => {
    const { remote, pass } = timedRemote()
    await writeSegments(remote, 0, 8)
    expect(await keysOf(remote, 'sample/')).toEqual([])
    await merge(remote)
    const [sample, ...others] = await keysOf(remote, 'sample/')
    expect(others).toEqual([])
    expect(await keysOf(remote, 'index/')).toContain(sample!.replace('sample/', 'index/'))
    // Eight times as much makes the next one.
    for (let i = 1; i < 8; i++) {
      await writeSegments(remote, i * 8, i * 8 + 8)
      await merge(remote)
    }
    await merge(remote)
    pass(25 * HOUR_MS)
    await writeSegments(remote, 64, 65)
    for (let i = 0; i < 2; i++) await merge(remote)
    const samples = await keysOf(remote, 'sample/')
    const segments = await keysOf(remote, 'index/')
    expect(samples).not.toContain(sample)
    for (const key of samples) expect(segments).toContain(key.replace('sample/', 'index/'))
  })
})
