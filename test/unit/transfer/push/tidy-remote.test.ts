import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { VarveError } from '../../../../core/errors.ts'
import type { TreeEntry } from '../../../../core/format/tree.ts'
import type { Key, Remote } from '../../../../core/remote.ts'
import { tidyRemote } from '../../../../core/transfer/push/tidy-remote.ts'
import type { IndexLimits } from '../../../../core/transfer/view/remote-index.ts'
import { RemoteView } from '../../../../core/transfer/view/remote-view.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { addVersion } from '../../../support/build-store.ts'
import {
  type Clone,
  intercepting,
  keysOf,
  makeClone,
  push,
  REPOSITORY,
  readElsewhere,
  readVersion,
  reopen,
} from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const HOUR_MS = 3600 * 1000
const SMALL = { sentBytes: 0 }

function clock() {
  const state = { time: Date.UTC(2026, 0, 1) }
  return { state, now: () => new Date(state.time) }
}

function viewOf(remote: Remote, indexLimits: Partial<IndexLimits> = {}): RemoteView {
  return new RemoteView({ remote, folder: makeTemporaryFolder(), repositoryId: REPOSITORY, indexLimits })
}

async function pushMany(clone: Clone, from: number, end: number): Promise<TreeEntry[]> {
  const entries: TreeEntry[] = []
  for (let i = from; i < end; i++) {
    const entry = addVersion(clone.store, { [`file ${i}`]: `content ${i}`, same: 'same' }, `data ${i}`)
    await push(clone, [entry])
    entries.push(entry)
  }
  return entries
}

async function liveOn(remote: Remote): Promise<{ segments: number; rows: number; records: number }> {
  const view = viewOf(remote)
  await view.refreshRecords()
  await view.refreshIndex()
  const counts = {
    segments: view.index.names.length,
    rows: view.index.rowCount,
    records: view.roots.present.length,
  }
  view.close()
  return counts
}

describe('many pushes', () => {
  test('leave few segments and records that count, and every version readable', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entries = await pushMany(clone, 0, 18)
    const { segments, rows, records } = await liveOn(remote)
    expect(segments).toBeLessThanOrEqual(14)
    expect(records).toBeLessThanOrEqual(14)
    // Of each push two chunks of its own, the file's and the listing's; and one they share.
    expect(rows).toBe(18 * 2 + 1)
    for (const entry of [entries[0]!, entries[9]!, entries[17]!]) {
      expect(await readElsewhere(remote, entry)).toEqual(readVersion(clone.store, entry))
    }
  })

  test('cost a new clone a few reads', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    await pushMany(makeClone(remote), 0, 18)
    counts.read = 0
    const view = viewOf(remote)
    await view.refreshRecords()
    await view.refreshIndex()
    expect([view.records.size, view.index.rowCount]).toEqual([18, 37])
    // At most twice seven segments and as many records; those that were being fetched already, too.
    expect(counts.read).toBeLessThanOrEqual(36)
  })

  test('of nothing new list, and fetch nothing', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const clone = makeClone(remote)
    await pushMany(clone, 0, 10)
    const again = reopen(clone)
    for (const view of [clone.view, again.view]) {
      counts.read = 0
      await view.refreshRecords()
      await view.refreshIndex()
      expect(counts.read).toBe(0)
    }
  })
})

describe('what was merged', () => {
  test('stays for a day by the clock of the server, and is removed by a push after that', async () => {
    const { state, now } = clock()
    const remote = createMemoryRemote({ now })
    const clone = makeClone(remote)
    const entries = await pushMany(clone, 0, 8)
    const first = (await keysOf(remote)).filter((key) => /^(index|roots)/.test(key))
    // This one merges the eight.
    entries.push(...(await pushMany(clone, 8, 9)))
    expect((await keysOf(remote)).filter((key) => key.endsWith('.bundle'))).toHaveLength(1)
    for (let hour = 0; hour < 24; hour += 8) {
      expect(await keysOf(remote)).toEqual(expect.arrayContaining(first))
      entries.push(...(await pushMany(clone, entries.length, entries.length + 1)))
      state.time += 8 * HOUR_MS
    }
    // The first push after a day shows that it is over, the next one acts on it.
    entries.push(...(await pushMany(clone, entries.length, entries.length + 2)))
    const keys = await keysOf(remote)
    expect(first.filter((key) => keys.includes(key))).toEqual([])
    for (const entry of entries) expect((await readElsewhere(remote, entry)).size).toBe(2)
  })

  test('is not removed by a clock of this machine', async () => {
    const { now } = clock()
    const remote = createMemoryRemote({ now })
    await pushMany(makeClone(remote), 0, 10)
    // Years lie between the two clocks.
    expect((await keysOf(remote, 'index/')).length).toBe(11)
  })
})

describe('two machines that merge at the same time', () => {
  test('make the same of the same', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    await pushMany(clone, 0, 8)
    const views = [viewOf(remote), viewOf(remote)]
    for (const view of views) {
      await view.refreshRecords()
      await view.refreshIndex()
    }
    await tidyRemote(views[0]!, SMALL)
    const merged = await keysOf(remote)
    await tidyRemote(views[1]!, SMALL)
    expect(await keysOf(remote)).toEqual(merged)
  })

  test('of what is not quite the same lose nothing, and a later merge tidies up', async () => {
    const { state, now } = clock()
    const inner = createMemoryRemote({ now })
    const views = [viewOf(inner), viewOf(inner)]
    const writer = makeClone(withoutMerges(inner))
    const entries = await pushMany(writer, 0, 8)
    await views[0]!.refreshIndex()
    entries.push(...(await pushMany(writer, 8, 9)))
    await views[1]!.refreshIndex()
    for (const view of views) expect(await tidyRemote(view, SMALL)).toBe(true)
    expect(await liveOn(inner)).toMatchObject({ segments: 2, rows: 9 * 2 + 1 + 8 * 2 + 1 })
    state.time += 25 * HOUR_MS
    entries.push(...(await pushMany(makeClone(inner), 9, 17)))
    // The rows that both had are one again.
    expect((await liveOn(inner)).rows).toBe(17 * 2 + 1)
    for (const entry of entries) expect((await readElsewhere(inner, entry)).size).toBe(2)
  })
})

describe('a reader', () => {
  test('that finds a segment and a record gone lists again', async () => {
    const { state, now } = clock()
    const inner = createMemoryRemote({ now })
    const tidier = makeClone(inner)
    await pushMany(makeClone(withoutMerges(inner)), 0, 9)
    let isRacing = true
    const remote: Remote = {
      ...inner,
      async read(key, options) {
        // Between its listing and its first read all that was listed is merged, and removed.
        if (isRacing && key !== 'varve.json') {
          isRacing = false
          await tidier.view.refreshRecords()
          await tidier.view.refreshIndex()
          await tidyRemote(tidier.view, SMALL)
          state.time += 25 * HOUR_MS
          await pushMany(tidier, 9, 11)
        }
        return inner.read(key, options)
      },
    }
    const view = viewOf(remote)
    await view.refreshIndex()
    expect(view.index.rowCount).toBe(11 * 2 + 1)
    isRacing = false
    await view.refreshRecords()
    expect(view.records.size).toBe(11)
  })

  test('makes a merged segment of those that it has, instead of fetching it', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const view = viewOf(remote, { buildBytes: 0 })
    const plain = viewOf(remote)
    const clone = makeClone(remote)
    await pushMany(clone, 0, 8)
    for (const one of [view, plain]) await one.refreshIndex()
    await tidyRemote(clone.view, SMALL)
    await push(clone, [])
    const bytesOf = async (one: RemoteView) => {
      counts.bytesRead = 0
      await one.refreshIndex()
      expect(one.index.names).toHaveLength(1)
      return counts.bytesRead
    }
    const [fetched, built] = [await bytesOf(plain), await bytesOf(view)]
    expect(built).toBeLessThan(fetched)
    expect(readdirSync(join(view.folder, 'index'))).toEqual(readdirSync(join(plain.folder, 'index')))
  })
})

describe('a failure to tidy up', () => {
  test('does not fail the push', async () => {
    const inner = createMemoryRemote()
    const remote = withoutMerges(inner)
    const clone = makeClone(remote)
    const entries = await pushMany(clone, 0, 9)
    expect((await liveOn(inner)).segments).toBe(9)
    for (const entry of entries) expect((await readElsewhere(inner, entry)).size).toBe(2)
  })

  test('does not hide an interruption', async () => {
    const clone = makeClone(withoutMerges(createMemoryRemote()))
    await pushMany(clone, 0, 9)
    const failure = new VarveError('INTERRUPTED', 'stop')
    clone.view.segments.merge = () => Promise.reject(failure)
    await clone.view.refreshIndex()
    expect(await varveErrorFrom(tidyRemote(clone.view, SMALL))).toBe(failure)
  })
})

/** A remote that refuses what is written after the intent of a push is gone: merges. */
function withoutMerges(inner: Remote): Remote {
  let isPushing = false
  return intercepting(inner, (verb, key) => {
    if (key.endsWith('.intent')) isPushing = verb === 'write'
    if (verb === 'write' && !isPushing && /^(index|roots|sample)\//.test(key)) throw refused(key)
  })
}

function refused(key: Key): VarveError {
  return new VarveError('NO_PERMISSION', `${key} may not be written`)
}
