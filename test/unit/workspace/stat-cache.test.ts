import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../../core/content-id.ts'
import type { FileStamp } from '../../../core/workspace/file-stamp.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'

let parent: string
let folder: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'varve-stat-'))
  folder = join(parent, 'stat-cache')
})

afterEach(() => {
  rmSync(parent, { recursive: true, force: true })
})

function stamp(seed: number): FileStamp {
  return {
    sizeBytes: seed,
    mtimeMs: 1e12 + seed + 0.5,
    ctimeMs: 1e12 + seed + 0.75,
    inode: seed,
    mode: 0o100644,
  }
}

function digest(seed: number): Digest {
  const bytes = new Uint8Array(32)
  new DataView(bytes.buffer).setUint32(0, seed)
  return bytes
}

function withCache<T>(use: (cache: StatCache) => T): T {
  const cache = StatCache.open(folder)
  try {
    return use(cache)
  } finally {
    cache.close()
  }
}

function journals(): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('journal-'))
}

describe('StatCache', () => {
  test('knows nothing at first, and makes no folder for it', () => {
    withCache((cache) => {
      expect(cache.lookup('data').get('a', stamp(1))).toBeUndefined()
      cache.flush()
    })
    expect(existsSync(folder)).toBe(false)
  })

  test('knows after a flush what was recorded, in this process and the next', () => {
    withCache((cache) => {
      cache.record('top.bin', stamp(1), digest(1))
      cache.record('data/sub/b', stamp(2), digest(2))
      cache.record('data/sub/a', stamp(3), digest(3))
      cache.record('data/été/\u{1f600}', stamp(4), digest(4))
      cache.flush()
      expect(cache.lookup('').get('top.bin', stamp(1))).toEqual(digest(1))
    })
    withCache((cache) => {
      expect(cache.lookup('').get('top.bin', stamp(1))).toEqual(digest(1))
      const stats = cache.lookup('data/sub')
      expect(stats.get('b', stamp(2))).toEqual(digest(2))
      expect(stats.get('a', stamp(3))).toEqual(digest(3))
      expect(stats.get('c', stamp(3))).toBeUndefined()
      expect(cache.lookup('data/été').get('\u{1f600}', stamp(4))).toEqual(digest(4))
      expect(cache.lookup('data').get('sub', stamp(3))).toBeUndefined()
    })
  })

  test('a record counts only after the flush, and hides an older one until then', () => {
    withCache((cache) => {
      cache.record('d/a', stamp(1), digest(1))
      expect(cache.lookup('d').get('a', stamp(1))).toBeUndefined()
      cache.flush()
      cache.record('d/a', stamp(2), digest(2))
      const stats = cache.lookup('d')
      expect(stats.get('a', stamp(1))).toBeUndefined()
      expect(stats.get('a', stamp(2))).toBeUndefined()
      cache.flush()
      expect(cache.lookup('d').get('a', stamp(1))).toBeUndefined()
      expect(cache.lookup('d').get('a', stamp(2))).toEqual(digest(2))
    })
  })

  test('the last record of a path counts', () => {
    withCache((cache) => {
      cache.record('d/a', stamp(1), digest(1))
      cache.record('d/a', stamp(2), digest(2))
      cache.flush()
      expect(cache.lookup('d').get('a', stamp(1))).toBeUndefined()
      expect(cache.lookup('d').get('a', stamp(2))).toEqual(digest(2))
    })
  })

  test('forgets, whether the entry is pending, in the base or in the journal', () => {
    withCache((cache) => {
      cache.record('d/base', stamp(1), digest(1))
      cache.flush()
      cache.record('d/journal', stamp(2), digest(2))
      cache.flush()
      cache.record('d/pending', stamp(3), digest(3))
      expect(journals()).toHaveLength(1)
      for (const name of ['base', 'journal', 'pending']) cache.forget(`d/${name}`)
      expect(cache.lookup('d').get('base', stamp(1))).toBeUndefined()
      cache.flush()
    })
    withCache((cache) => {
      const stats = cache.lookup('d')
      expect(stats.get('base', stamp(1))).toBeUndefined()
      expect(stats.get('journal', stamp(2))).toBeUndefined()
      expect(stats.get('pending', stamp(3))).toBeUndefined()
    })
  })

  test('what is not flushed is dropped at close', () => {
    withCache((cache) => cache.record('d/a', stamp(1), digest(1)))
    withCache((cache) => expect(cache.lookup('d').get('a', stamp(1))).toBeUndefined())
  })

  test('small changes go to the journal; a large one folds it into a new base', () => {
    withCache((cache) => {
      for (let i = 0; i < 100; i++) cache.record(`d/${i}`, stamp(i), digest(i))
      cache.flush()
    })
    const first = statSync(join(folder, 'base')).ino
    for (let i = 100; i < 110; i++) {
      withCache((cache) => {
        cache.record(`d/${i}`, stamp(i), digest(i))
        cache.forget(`d/${i - 100}`)
        cache.flush()
      })
    }
    expect(statSync(join(folder, 'base')).ino).toBe(first)
    expect(journals()).toHaveLength(1)

    withCache((cache) => {
      for (let i = 1000; i < 16_000; i++) cache.record(`e/${i % 7}/${i}`, stamp(i), digest(i))
      cache.record('d/50', stamp(5050), digest(5050))
      cache.flush()
    })
    expect(statSync(join(folder, 'base')).ino).not.toBe(first)
    expect(readdirSync(folder).sort()).toEqual(['base', 'probe'])
    withCache((cache) => {
      const stats = cache.lookup('d')
      for (let i = 0; i < 10; i++) expect(stats.get(`${i}`, stamp(i))).toBeUndefined()
      for (let i = 10; i < 110; i++) {
        const seed = i === 50 ? 5050 : i
        expect(stats.get(`${i}`, stamp(seed))).toEqual(digest(seed))
      }
      for (let i = 1000; i < 16_000; i += 13) {
        expect(cache.lookup(`e/${i % 7}`).get(`${i}`, stamp(i))).toEqual(digest(i))
      }
    })
  })

  test('a journal is folded in when it has grown by small steps, too', () => {
    withCache((cache) => {
      cache.record('d/first', stamp(1), digest(1))
      cache.flush()
      let largest = 0
      for (let step = 0; step < 12; step++) {
        for (let i = 0; i < 2000; i++) cache.record(`d/${i}`, stamp(step), digest(step))
        cache.flush()
        for (const name of journals()) largest = Math.max(largest, statSync(join(folder, name)).size)
      }
      expect(largest).toBeGreaterThan(2000 * 68)
      expect(largest).toBeLessThanOrEqual(1024 * 1024)
      expect(cache.lookup('d').get('1999', stamp(11))).toEqual(digest(11))
      expect(cache.lookup('d').get('first', stamp(1))).toEqual(digest(1))
    })
  })

  test('drops at compaction what was forgotten', () => {
    withCache((cache) => {
      for (let i = 0; i < 16_000; i++) cache.record(`d/${i}`, stamp(i), digest(i))
      cache.record('d/kept', stamp(1), digest(1))
      cache.flush()
      for (let i = 0; i < 16_000; i++) cache.forget(`d/${i}`)
      cache.flush()
      expect(cache.lookup('d').get('kept', stamp(1))).toEqual(digest(1))
    })
    expect(readdirSync(folder).sort()).toEqual(['base', 'probe'])
    expect(statSync(join(folder, 'base')).size).toBeLessThan(300)
  })

  test('drops at compaction what lies in directories that are gone', () => {
    const cache = StatCache.open(folder, { directoryExists: (directory) => !directory.startsWith('gone') })
    cache.record('kept/a', stamp(1), digest(1))
    cache.record('gone/b', stamp(2), digest(2))
    cache.record('gone/sub/c', stamp(3), digest(3))
    cache.flush()
    expect(cache.lookup('kept').get('a', stamp(1))).toEqual(digest(1))
    expect(cache.lookup('gone').get('b', stamp(2))).toBeUndefined()
    expect(cache.lookup('gone/sub').get('c', stamp(3))).toBeUndefined()
    cache.close()
  })

  test('holds 100,000 files in 200 directories', () => {
    const path = (i: number) => `data/${i % 200}/${i}.png`
    withCache((cache) => {
      for (let i = 0; i < 100_000; i++) cache.record(path(i), stamp(i), digest(i))
      cache.flush()
    })
    withCache((cache) => {
      let known = 0
      for (let directory = 0; directory < 200; directory++) {
        const stats = cache.lookup(`data/${directory}`)
        for (let i = directory; i < 100_000; i += 200) {
          const found = stats.get(`${i}.png`, stamp(i))
          if (found !== undefined && Buffer.compare(found, digest(i)) === 0) known++
        }
      }
      expect(known).toBe(100_000)
    })
  })

  test('flushes by itself before it holds too much in memory', () => {
    withCache((cache) => {
      for (let i = 0; i < 600_000; i++) cache.record(`d/${i % 100}/${i}`, stamp(i), digest(1))
      expect(cache.lookup('d/0').get('0', stamp(0))).toEqual(digest(1))
    })
  })

  test('where the folder cannot be made, nothing is recorded and nothing fails', () => {
    writeFileSync(folder, 'a file in its place')
    withCache((cache) => {
      expect(cache.now()).toBeUndefined()
      cache.record('d/a', stamp(1), digest(1))
      cache.flush()
      expect(cache.lookup('d').get('a', stamp(1))).toBeUndefined()
    })
  })

  test('where the probe cannot be written, nothing more is recorded', () => {
    withCache((cache) => {
      cache.record('d/a', stamp(1), digest(1))
      cache.flush()
      rmSync(join(folder, 'probe'))
      mkdirSync(join(folder, 'probe'))
      cache.record('d/b', stamp(2), digest(2))
      cache.flush()
      const stats = cache.lookup('d')
      expect(stats.get('a', stamp(1))).toEqual(digest(1))
      expect(stats.get('b', stamp(2))).toBeUndefined()
    })
  })
})
