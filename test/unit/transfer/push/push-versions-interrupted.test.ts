import { readFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { VarveError } from '../../../../core/errors.ts'
import type { PackName } from '../../../../core/format/pack.ts'
import type { TreeEntry } from '../../../../core/format/tree.ts'
import type { Key, Remote } from '../../../../core/remote.ts'
import { writeSegment } from '../../../../core/store/segment-writer.ts'
import { packKey, segmentKey, segmentPath } from '../../../../core/store/store-layout.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { addVersion, noise } from '../../../support/build-store.ts'
import {
  type Clone,
  fetch,
  intercepting,
  keysOf,
  makeClone,
  push,
  readVersion,
  reopen,
} from '../../../support/remote-fixture.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

// Packs of a size that makes several of little data.
vi.mock('../../../../core/format/pack.ts', async (importOriginal) => ({
  ...(await importOriginal<typeof import('../../../../core/format/pack.ts')>()),
  TARGET_PACK_BYTES: { data: 400_000, metadata: 8 << 20 },
}))

const FIRST = { a: noise(300_000, 1), b: 'first' }
const SECOND = { a: noise(300_000, 1), b: 'second', c: noise(700_000, 2) }

async function readElsewhere(remote: Remote, entry: TreeEntry): Promise<number> {
  const clone = makeClone(remote)
  await fetch(clone, [entry])
  const { size } = readVersion(clone.store, entry)
  clone.store.close()
  return size
}

/** A push of `entry` whose write or remove number `at` fails; the keys that were written before. */
async function pushCutOff(
  clone: Clone,
  entry: TreeEntry,
  at: number,
): Promise<{ isCut: boolean; written: Key[] }> {
  let count = 0
  const written: Key[] = []
  const remote = intercepting(clone.remote, (verb, key) => {
    if (count++ >= at) throw new VarveError('REMOTE_FAILED', 'cut off')
    if (verb === 'write') written.push(key)
  })
  const through = reopen(clone, remote)
  try {
    await push(through, [entry], { jobs: 1 })
    return { isCut: false, written }
  } catch (error) {
    expect(error).toMatchObject({ code: 'REMOTE_FAILED', message: 'cut off' })
    return { isCut: true, written }
  } finally {
    through.view.close()
    through.store.close()
  }
}

describe('a push that is cut off', () => {
  test('at any write leaves what was there readable; the next sends what had not arrived', async () => {
    const source = makeClone(createMemoryRemote())
    const first = addVersion(source.store, FIRST)
    const second = addVersion(source.store, SECOND)
    let at = 0
    let resumed = 0
    for (; ; at++) {
      const remote = createMemoryRemote()
      const fresh = makeClone(remote)
      fresh.store.close()
      const clone = reopen({ ...fresh, store: source.store })
      source.store = clone.store
      await push(clone, [first])
      const before = new Set(await keysOf(remote, 'packs/'))
      const { isCut, written } = await pushCutOff(clone, second, at)
      expect(await readElsewhere(remote, first)).toBe(2)

      const arrived = written.filter((key) => key.startsWith('packs/'))
      const again: Key[] = []
      const counting = intercepting(remote, (verb, key) => {
        if (verb === 'write' && key.startsWith('packs/')) again.push(key)
      })
      const next = reopen(clone, counting)
      source.store = next.store
      await push(next, [second], { jobs: 1 })
      // What arrived is leaned on, not sent again: in the end there is not a pack more than without the cut.
      expect(arrived.length + again.length, `cut at ${at}`).toBe(3)
      expect(again.filter((key) => arrived.includes(key) || before.has(key))).toEqual([])
      if (arrived.length > 0 && again.length > 0) resumed++
      expect(await readElsewhere(remote, first)).toBe(2)
      expect(await readElsewhere(remote, second)).toBe(3)
      const segments = await keysOf(remote, 'index/')
      expect(segments.length).toBeGreaterThanOrEqual(2)
      if (!isCut) break
    }
    // Intent, three packs, final record, segment, the removal of the intent, and the published names.
    expect(at).toBe(8)
    expect(resumed).toBe(2)
  })
})

describe('a pack that an earlier push sent', () => {
  test('is not leaned on once it is buried, even if it is there still', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entry = addVersion(clone.store, FIRST)
    // Up to the final record.
    const cut = intercepting(remote, (_, key) => {
      if (key.endsWith('.final')) throw new VarveError('REMOTE_FAILED', 'cut off')
    })
    const through = reopen(clone, cut)
    await expect(push(through, [entry])).rejects.toThrow('cut off')
    const sent = (await keysOf(remote, 'packs/')).map((key) => key.slice(-69, -5) as PackName)
    expect(sent).toHaveLength(2)
    const root = makeTemporaryFolder()
    const name = writeSegment(root, { rows: [], mostRows: 0, packs: [], tombstones: sent })
    await remote.write(segmentKey(name), sourceOf(readFileSync(segmentPath(root, name))))
    const next = reopen(through, remote)
    expect(await push(next, [entry])).toMatchObject({ packs: 2 })
    for (const pack of sent) await remote.remove(packKey(pack))
    expect(await readElsewhere(remote, entry)).toBe(2)
  })
})

describe('two pushes at once', () => {
  /** Lets one of two sides do its next write, then the other, by turns as `order` says; then both to the end. */
  function interleave(order: readonly (0 | 1)[]) {
    const waiting: [(() => void)[], (() => void)[]] = [[], []]
    const done: [boolean, boolean] = [false, false]
    let turn = 0
    const release = () => {
      while (turn < order.length) {
        const side = order[turn]!
        if (done[side]) {
          turn++
          continue
        }
        const go = waiting[side].shift()
        if (go === undefined) return
        turn++
        go()
        return
      }
      for (const side of waiting) for (const go of side.splice(0)) go()
    }
    const gate = (side: 0 | 1) => () =>
      new Promise<void>((resolve) => {
        waiting[side].push(resolve)
        release()
      })
    const end = (side: 0 | 1) => {
      done[side] = true
      release()
    }
    return { gate, end, release }
  }

  test.each([
    ['in step', [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]],
    ['the second within the first', [0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]],
    ['the first within the second', [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]],
    ['both up to their records, then together', [0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 0]],
  ] as const)('%s are both there', async (_, order) => {
    const remote = createMemoryRemote()
    await push(makeClone(remote), [])
    const { gate, end, release } = interleave(order)
    const clones = ([0, 1] as const).map((side) => makeClone(intercepting(remote, gate(side))))
    const shared = noise(200_000, 3)
    const entries = clones.map(({ store }, side) =>
      addVersion(store, { shared, own: `own ${side}`, more: noise(100_000, 10 + side) }),
    )
    const pushes = clones.map((clone, side) =>
      push(clone, [entries[side]!]).finally(() => end(side as 0 | 1)),
    )
    // Each write lets the next one go only once it has happened.
    const pump = setInterval(release, 1)
    await Promise.all(pushes)
    clearInterval(pump)
    for (const [side, entry] of entries.entries()) {
      expect(await readElsewhere(remote, entry)).toBe(3)
      const other = reopen(clones[1 - side]!, remote)
      await fetch(other, [entry])
      expect(readVersion(other.store, entry).size).toBe(3)
      clones[1 - side] = other
    }
    expect((await keysOf(remote, 'roots/')).every((key) => key.endsWith('.final'))).toBe(true)
  })

  test('from one clone do not take each other’s packs away', async () => {
    const remote = createMemoryRemote()
    const clone = makeClone(remote)
    const entries = [1, 2].map((seed) => addVersion(clone.store, { own: noise(400_000, seed) }, `v${seed}`))
    let held: (() => void) | undefined
    const slow = intercepting(remote, async (_, key) => {
      if (key.startsWith('packs/') && held === undefined) {
        await new Promise<void>((resolve) => {
          held = resolve
        })
      }
    })
    const slowClone = { ...reopen(clone, slow) }
    const first = push(slowClone, [entries[0]!], { jobs: 1 })
    while (held === undefined) await new Promise((resolve) => setImmediate(resolve))
    const quick = makeClone(remote)
    quick.store.close()
    const beside = { store: slowClone.store, view: reopenView(quick, slowClone), remote }
    await push(beside, [entries[1]!])
    held()
    await first
    for (const entry of entries) expect(await readElsewhere(remote, entry)).toBe(1)
  })
})

/** Another view on the folder of `of`. */
function reopenView(other: Clone, of: Clone): Clone['view'] {
  other.view.close()
  const View = of.view.constructor as new (options: {
    remote: Remote
    folder: string
    repositoryId: string
  }) => Clone['view']
  return new View({
    remote: other.remote,
    folder: of.view.folder,
    repositoryId: '0123456789abcdef0123456789abcdef',
  })
}
