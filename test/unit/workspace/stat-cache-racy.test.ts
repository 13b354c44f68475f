import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { type FileStamp, sameStamp, stampOf } from '../../../core/workspace/file-stamp.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'

let root: string
let cache: StatCache

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'varve-racy-'))
  mkdirSync(join(root, 'd'))
  cache = StatCache.open(join(root, 'stat-cache'))
})

afterEach(() => {
  cache.close()
  rmSync(root, { recursive: true, force: true })
})

function stampAt(path: string): FileStamp {
  return stampOf(lstatSync(join(root, path)))
}

function recordFile(path: string): void {
  cache.record(path, stampAt(path), digestOf(readFileSync(join(root, path))))
}

function lookup(path: string) {
  return cache.lookup('d').get(path.slice(2), stampAt(path))
}

describe('racy stamps', () => {
  test('a file that is rewritten in the same tick, with the same size, is noticed', () => {
    for (let i = 0; i < 200; i++) {
      writeFileSync(join(root, 'd/file'), `old ${i % 10}`)
      recordFile('d/file')
      cache.flush()
      writeFileSync(join(root, 'd/file'), `new ${i % 10}`)
      expect(lookup('d/file')).toBeUndefined()
    }
  })

  test('so it is where the file is written long before the flush', () => {
    for (let i = 0; i < 50; i++) {
      writeFileSync(join(root, `d/${i}`), 'old')
      recordFile(`d/${i}`)
    }
    cache.flush()
    for (let i = 0; i < 50; i++) {
      writeFileSync(join(root, `d/${i}`), 'new')
      expect(lookup(`d/${i}`)).toBeUndefined()
    }
  })

  test('files that were written a moment ago are known after the flush, so that nothing reads them again', () => {
    for (let i = 0; i < 100; i++) {
      writeFileSync(join(root, `d/${i}`), `content ${i}`)
      recordFile(`d/${i}`)
    }
    cache.flush()
    for (let i = 0; i < 100; i++) {
      expect(lookup(`d/${i}`)).toEqual(new Uint8Array(digestOf(Buffer.from(`content ${i}`))))
    }
  })

  test('a file that is given its old time stamp back is noticed by its change time', () => {
    writeFileSync(join(root, 'd/file'), 'old')
    const { mtimeMs } = stampAt('d/file')
    recordFile('d/file')
    cache.flush()
    writeFileSync(join(root, 'd/file'), 'new')
    utimesSync(join(root, 'd/file'), mtimeMs / 1000, mtimeMs / 1000)
    expect(lookup('d/file')).toBeUndefined()
  })

  test('so is one that another of the same size and time takes the place of', () => {
    writeFileSync(join(root, 'd/file'), 'old')
    const before = stampAt('d/file')
    expect(sameStamp(before, { ...before })).toBe(true)
    for (const field of ['sizeBytes', 'mtimeMs', 'ctimeMs', 'inode', 'mode'] as const) {
      expect(sameStamp(before, { ...before, [field]: before[field] + 1 })).toBe(false)
    }
  })

  const clock = () => cache.now()!
  const stampWith = (times: { mtimeMs: number; ctimeMs: number }): FileStamp => ({
    sizeBytes: 1,
    inode: 1,
    mode: 0o100644,
    ...times,
  })
  const isBelieved = (stamp: FileStamp, options?: { readSinceMs: number }): boolean => {
    cache.record('d/file', stamp, Buffer.alloc(32), options)
    cache.flush()
    return cache.lookup('d').get('file', stamp) !== undefined
  }
  /** A time that lies on no whole second. */
  const broken = (timeMs: number) => timeMs + (timeMs % 1000 === 0 ? 0.5 : 0)

  test('a stamp that the clock is about to pass is waited for', () => {
    const soon = broken(clock() + 5)
    expect(isBelieved(stampWith({ mtimeMs: soon, ctimeMs: soon }))).toBe(true)
    expect(clock()).toBeGreaterThan(soon)
  })

  test('a stamp that lies further ahead, in either time, is not believed', () => {
    const past = broken(clock() - 5000)
    const ahead = broken(clock() + 60_000)
    expect(isBelieved(stampWith({ mtimeMs: past, ctimeMs: ahead }))).toBe(false)
    expect(isBelieved(stampWith({ mtimeMs: ahead, ctimeMs: past }))).toBe(false)
    expect(isBelieved(stampWith({ mtimeMs: past, ctimeMs: past }))).toBe(true)
  })

  test('one racy file does not keep the others from being recorded', () => {
    const past = broken(clock() - 5000)
    const ahead = broken(clock() + 60_000)
    cache.record('d/other', stampWith({ mtimeMs: past, ctimeMs: past }), Buffer.alloc(32, 1))
    expect(isBelieved(stampWith({ mtimeMs: ahead, ctimeMs: ahead }))).toBe(false)
    expect(cache.lookup('d').get('other', stampWith({ mtimeMs: past, ctimeMs: past }))).toBeDefined()
  })

  test('a change time of whole seconds tells of a clock of two-second ticks', () => {
    const second = 1000 * Math.floor(clock() / 1000)
    expect(isBelieved(stampWith({ mtimeMs: second, ctimeMs: second - 1000 }))).toBe(false)
    expect(isBelieved(stampWith({ mtimeMs: second - 3000, ctimeMs: second - 3000 }))).toBe(true)
    const past = broken(clock() - 1500)
    expect(isBelieved(stampWith({ mtimeMs: second - 2000, ctimeMs: past }))).toBe(true)
  })

  test('told since when the file was read, it does not believe a stamp of that tick or later', () => {
    const since = broken(clock() - 5000)
    expect(isBelieved(stampWith({ mtimeMs: since, ctimeMs: since - 1 }), { readSinceMs: since })).toBe(false)
    expect(isBelieved(stampWith({ mtimeMs: since + 1, ctimeMs: since }), { readSinceMs: since })).toBe(false)
    const before = broken(since - 1)
    expect(isBelieved(stampWith({ mtimeMs: before, ctimeMs: before }), { readSinceMs: since })).toBe(true)
  })
})
