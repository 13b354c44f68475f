import { describe, expect, test, vi } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { Store } from '../../../core/store/store.ts'
import { addVersion, type Content, noise } from '../../support/build-store.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

type Call = { name: string; path: string }

/** What the mocked file system does: it notes each call that changes something, and stops at the one that is set. */
const disk = vi.hoisted(() => ({
  calls: [] as Call[],
  stopAt: Number.POSITIVE_INFINITY,
  paths: new Map<number, string>(),
}))

class Killed extends Error {}

vi.mock('node:fs', async (importOriginal) => {
  const actual = await importOriginal<typeof import('node:fs')>()
  const step = (name: string, path: string) => {
    if (disk.calls.length >= disk.stopAt) throw new Killed()
    disk.calls.push({ name, path })
  }
  return {
    ...actual,
    openSync(path: string, flags: string | number, mode?: number) {
      if (flags === 'wx' || flags === 'w') step('create', path)
      const fd = actual.openSync(path, flags, mode)
      disk.paths.set(fd, path)
      return fd
    },
    writeSync(fd: number, bytes: Uint8Array, offset: number) {
      step('write', disk.paths.get(fd)!)
      return actual.writeSync(fd, bytes, offset)
    },
    fsyncSync(fd: number) {
      step('fsync', disk.paths.get(fd)!)
      actual.fsyncSync(fd)
    },
    renameSync(from: string, to: string) {
      step('rename', to)
      actual.renameSync(from, to)
    },
    // Nothing cleans up after a kill.
    unlinkSync(path: string) {
      step('unlink', path)
      actual.unlinkSync(path)
    },
    rmSync(path: string, options?: { force?: boolean; recursive?: boolean }) {
      if (disk.stopAt !== Number.POSITIVE_INFINITY) step('rm', path)
      actual.rmSync(path, options)
    },
  }
})

const FIRST: Content = { a: noise(200_000, 1), b: 'first' }
const SECOND: Content = { a: noise(200_000, 1), b: 'second', c: { d: noise(150_000, 2) } }

/** Runs `act` as a process that is killed at its call number `at`; false where it came to its end. */
function killedAt(at: number, act: () => void): boolean {
  disk.calls.length = 0
  disk.stopAt = at
  try {
    act()
    return false
  } catch (error) {
    if (!(error instanceof Killed)) throw error
    return true
  } finally {
    disk.stopAt = Number.POSITIVE_INFINITY
  }
}

function expectWhole(root: string, content: Content): void {
  const store = Store.open(root)
  const check = (part: Content): void => {
    if (typeof part === 'string' || part instanceof Uint8Array) {
      const bytes = Buffer.from(part as string)
      const chunks = [...store.chunks(digestOf(bytes))]
      expect(Buffer.concat(chunks.map(({ digest }) => store.readEntry('chunk', digest))).equals(bytes)).toBe(
        true,
      )
    } else {
      for (const inner of Object.values(part)) check(inner)
    }
  }
  check(content)
  store.close()
}

describe('a run that is killed', () => {
  test('between any two calls leaves what was there readable, and the next run just works', () => {
    let kills = 0
    for (let at = 0; ; at++) {
      const root = makeTemporaryFolder()
      addVersion(Store.open(root), FIRST)
      const isKilled = killedAt(at, () => {
        addVersion(Store.open(root), SECOND)
      })
      expectWhole(root, FIRST)
      if (!isKilled) {
        expectWhole(root, SECOND)
        break
      }
      kills++
      addVersion(Store.open(root), SECOND)
      expectWhole(root, FIRST)
      expectWhole(root, SECOND)
    }
    expect(kills).toBeGreaterThan(10)
  })

  test('while the store is made leaves a place where it can be made', () => {
    let kills = 0
    for (let at = 0; ; at++) {
      const root = makeTemporaryFolder()
      const isKilled = killedAt(at, () => Store.open(root).close())
      addVersion(Store.open(root), FIRST)
      expectWhole(root, FIRST)
      if (!isKilled) break
      kills++
    }
    expect(kills).toBeGreaterThan(2)
  })
})

test('bytes are on the disk before their name, packs before the segment that names them', () => {
  const root = makeTemporaryFolder()
  const store = Store.open(root)
  killedAt(1_000_000, () => addVersion(store, SECOND))
  const { calls } = disk
  const names = calls.filter(({ name, path }) => name === 'rename' && /\.(pack|idx)$/.test(path))
  expect(names.map(({ path }) => path.slice(-5))).toEqual(
    ['.pack', '.pack', '.idx'].map((end) => expect.stringContaining(end)),
  )
  let written: string | undefined
  let synced = new Set<string>()
  for (const { name, path } of calls) {
    if (name === 'create' || name === 'write') {
      written = path
      synced.delete(path)
    }
    if (name === 'fsync') synced.add(path)
    // The last file that was written is the one that gets its name: nothing of it may be unsynced.
    if (name === 'rename') expect(synced).toContain(written)
  }
  synced = new Set()
  // After each name, the folder that holds it.
  for (const [i, call] of calls.entries()) {
    if (call.name !== 'rename') continue
    const rest = calls.slice(i + 1)
    const folder = call.path.slice(0, call.path.lastIndexOf('/'))
    const at = rest.findIndex(({ name, path }) => name === 'fsync' && path === folder)
    const nextName = rest.findIndex(({ name }) => name === 'rename')
    expect(at).toBeGreaterThanOrEqual(0)
    if (nextName >= 0) expect(at).toBeLessThan(nextName)
  }
  store.close()
})
