import {
  appendFileSync,
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { BASE_FOOTER_BYTES, decodeBaseFooter } from '../../../core/format/stat-cache.ts'
import type { FileStamp } from '../../../core/workspace/file-stamp.ts'
import { StatCache } from '../../../core/workspace/stat-cache.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'varve-stat-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

const PATHS = ['top', 'a/x', 'a/y', 'a/z', 'b/c/x', 'b/c/y']
const LATER_PATHS = ['a/y', 'd/new']

function stamp(seed: number): FileStamp {
  return {
    sizeBytes: seed,
    mtimeMs: 1e12 + seed + 0.5,
    ctimeMs: 1e12 + seed + 0.75,
    inode: seed,
    mode: 0o100644,
  }
}

const digest = (path: string, version: number) => Buffer.alloc(32, `${path} ${version}`)
const seedOf = (path: string, version: number) => 10 * (PATHS.concat(LATER_PATHS).indexOf(path) + 1) + version

function record(cache: StatCache, path: string, version: number): void {
  cache.record(path, stamp(seedOf(path, version)), digest(path, version))
}

/** Undefined, or the very digest that was recorded for this version of this path: anything else fails. */
function isKnown(cache: StatCache, path: string, version: number): boolean {
  const slash = path.lastIndexOf('/')
  const stats = cache.lookup(slash < 0 ? '' : path.slice(0, slash))
  const found = stats.get(path.slice(slash + 1), stamp(seedOf(path, version)))
  if (found !== undefined) expect(Buffer.from(found)).toEqual(digest(path, version))
  return found !== undefined
}

function knownAfterOpening(paths: readonly string[], version: number): string[] {
  const cache = StatCache.open(folder)
  const known = paths.filter((path) => isKnown(cache, path, version))
  cache.close()
  return known
}

/** A base of version 1 of all PATHS, and a journal of two frames: version 2 of each of LATER_PATHS. */
function build(): { base: Buffer; journal: Buffer; journalPath: string; firstFrameBytes: number } {
  const cache = StatCache.open(folder)
  for (const path of PATHS) record(cache, path, 1)
  cache.flush()
  record(cache, LATER_PATHS[0]!, 2)
  cache.flush()
  const journalPath = join(folder, readdirSync(folder).find((name) => name.startsWith('journal-'))!)
  const firstFrameBytes = readFileSync(journalPath).length
  record(cache, LATER_PATHS[1]!, 2)
  cache.flush()
  cache.close()
  return {
    base: readFileSync(join(folder, 'base')),
    journal: readFileSync(journalPath),
    journalPath,
    firstFrameBytes,
  }
}

describe('a damaged stat cache', () => {
  test('whole, it knows everything', () => {
    build()
    expect(knownAfterOpening(PATHS, 1)).toEqual(PATHS.filter((path) => path !== 'a/y'))
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(LATER_PATHS)
  })

  test('any byte of the base changed: never a wrong digest', () => {
    const { base } = build()
    const { tableOffset } = decodeBaseFooter(base.subarray(-BASE_FOOTER_BYTES))!
    for (let i = 0; i < base.length; i++) {
      const wrong = Buffer.from(base)
      wrong[i]! ^= 1 << (i % 8)
      writeFileSync(join(folder, 'base'), wrong)
      const known = knownAfterOpening(PATHS, 1)
      expect(known.length).toBeLessThan(PATHS.length - 1)
      // A block that is damaged loses its directory; anything else, the cache.
      if (i < 12 || i >= tableOffset) expect(known.concat(knownAfterOpening(LATER_PATHS, 2))).toEqual([])
    }
  })

  test('any byte of the journal changed: never a wrong digest', () => {
    const { journal, journalPath, firstFrameBytes } = build()
    for (let i = 0; i < journal.length; i++) {
      const wrong = Buffer.from(journal)
      wrong[i]! ^= 1 << (i % 8)
      writeFileSync(journalPath, wrong)
      expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(i < firstFrameBytes ? [] : LATER_PATHS.slice(0, 1))
      expect(knownAfterOpening(['top', 'a/x'], 1)).toEqual(['top', 'a/x'])
    }
  })

  test('any bytes overwritten anywhere: never a wrong digest', () => {
    const { base, journal, journalPath } = build()
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        (inBase, at, bytes) => {
          const wrong = Buffer.from(inBase ? base : journal)
          wrong.set(bytes.subarray(0, wrong.length), at % Math.max(1, wrong.length - bytes.length))
          writeFileSync(join(folder, 'base'), inBase ? wrong : base)
          writeFileSync(journalPath, inBase ? journal : wrong)
          knownAfterOpening(PATHS, 1)
          knownAfterOpening(LATER_PATHS, 2)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a base cut off at any length is as good as none', () => {
    const { base } = build()
    for (let length = 0; length < base.length; length++) {
      writeFileSync(join(folder, 'base'), base.subarray(0, length))
      expect(knownAfterOpening(PATHS, 1)).toEqual([])
      expect(knownAfterOpening(LATER_PATHS, 2)).toEqual([])
    }
  })

  test('a journal torn at any length keeps its whole frames, and what is recorded next is kept as well', () => {
    const { base, journal, journalPath, firstFrameBytes } = build()
    for (let length = 0; length < journal.length; length++) {
      writeFileSync(join(folder, 'base'), base)
      writeFileSync(journalPath, journal.subarray(0, length))
      const whole = length < firstFrameBytes ? [] : LATER_PATHS.slice(0, 1)
      expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(whole)

      const cache = StatCache.open(folder)
      record(cache, 'b/c/x', 3)
      cache.flush()
      cache.close()
      expect(knownAfterOpening(['b/c/x'], 3)).toEqual(['b/c/x'])
      expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(whole)
    }
  })

  test('frames behind a torn one are not read', () => {
    const { journal, journalPath, firstFrameBytes } = build()
    const torn = journal.subarray(0, firstFrameBytes - 1)
    writeFileSync(journalPath, Buffer.concat([torn, journal.subarray(firstFrameBytes)]))
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual([])
  })

  test('zeros behind the journal, as a power cut leaves them, count for nothing', () => {
    const { journalPath } = build()
    appendFileSync(journalPath, Buffer.alloc(4096))
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(LATER_PATHS)
  })

  test('it is built anew at the next flush', () => {
    build()
    writeFileSync(join(folder, 'base'), 'no base at all')
    const cache = StatCache.open(folder)
    for (const path of PATHS) record(cache, path, 3)
    cache.flush()
    cache.close()
    expect(knownAfterOpening(PATHS, 3)).toEqual(PATHS)
    expect(readdirSync(folder).sort()).toEqual(['base', 'probe'])
  })

  test('the journal of another base counts for nothing, under its own name or under the right one', () => {
    const old = build()
    rmSync(join(folder, 'base'))
    const cache = StatCache.open(folder)
    record(cache, 'top', 3)
    cache.flush()
    record(cache, 'top', 4)
    cache.flush()
    cache.close()
    const journalPath = join(folder, readdirSync(folder).find((name) => name.startsWith('journal-'))!)

    writeFileSync(old.journalPath, old.journal)
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual([])
    expect(knownAfterOpening(['top'], 4)).toEqual(['top'])
    copyFileSync(old.journalPath, journalPath)
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual([])
    expect(knownAfterOpening(['top'], 3)).toEqual(['top'])
  })
})

describe('several processes at once', () => {
  test('each appends, and both are read', () => {
    build()
    const [one, two] = [StatCache.open(folder), StatCache.open(folder)]
    record(one, 'a/x', 5)
    record(two, 'a/z', 5)
    one.flush()
    two.flush()
    record(one, 'top', 5)
    one.flush()
    one.close()
    two.close()
    expect(knownAfterOpening(['a/x', 'a/z', 'top'], 5)).toEqual(['a/x', 'a/z', 'top'])
  })

  test('one compacts while another has the old base open: the other goes on with the new one', () => {
    const { journalPath } = build()
    const [one, two] = [StatCache.open(folder), StatCache.open(folder)]
    expect(isKnown(two, 'a/x', 1)).toBe(true)
    appendFileSync(journalPath, 'torn, so that the next flush compacts')
    record(one, 'top', 5)
    one.flush()
    expect(readdirSync(folder).sort()).toEqual(['base', 'probe'])

    expect(isKnown(two, 'a/x', 1)).toBe(true)
    record(two, 'a/z', 5)
    two.flush()
    expect(isKnown(two, 'top', 5)).toBe(true)
    one.close()
    two.close()
    expect(knownAfterOpening(['a/z', 'top'], 5)).toEqual(['a/z', 'top'])
    expect(knownAfterOpening(LATER_PATHS, 2)).toEqual(LATER_PATHS)
  })

  test('what one appends after another has read the journal survives when the other compacts', () => {
    build()
    const [one, two] = [StatCache.open(folder), StatCache.open(folder)]
    expect(isKnown(one, 'a/y', 2)).toBe(true)
    record(two, 'a/z', 5)
    two.flush()
    for (let i = 0; i < 16_000; i++) one.forget(`gone/${i}`)
    record(one, 'top', 5)
    one.flush()
    one.close()
    two.close()
    expect(readdirSync(folder).sort()).toEqual(['base', 'probe'])
    expect(knownAfterOpening(['a/z', 'top'], 5)).toEqual(['a/z', 'top'])
  })

  test('in any order of their steps, none believes what was never so', () => {
    const process = fc.nat({ max: 2 })
    const path = fc.constantFrom(...PATHS)
    const step = fc.oneof(
      fc.record({ kind: fc.constant('record' as const), process, path, version: fc.nat({ max: 9 }) }),
      fc.record({ kind: fc.constant('flush' as const), process }),
      fc.record({ kind: fc.constant('reopen' as const), process }),
      fc.record({ kind: fc.constant('forget' as const), process, path }),
      fc.record({ kind: fc.constant('tear' as const) }),
      fc.record({ kind: fc.constant('loseBase' as const) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        for (const name of readdirSync(folder)) rmSync(join(folder, name))
        const caches = [0, 1, 2].map(() => StatCache.open(folder))
        const recorded = new Set<string>()
        for (const step of steps) {
          if (step.kind === 'tear') {
            for (const name of readdirSync(folder)) {
              if (!name.startsWith('journal-')) continue
              const bytes = readFileSync(join(folder, name))
              writeFileSync(join(folder, name), bytes.subarray(0, bytes.length - 3))
            }
            continue
          }
          if (step.kind === 'loseBase') {
            rmSync(join(folder, 'base'), { force: true })
            continue
          }
          const cache = caches[step.process]!
          if (step.kind === 'record') {
            record(cache, step.path, step.version)
            recorded.add(`${step.path} ${step.version}`)
          } else if (step.kind === 'forget') cache.forget(step.path)
          else if (step.kind === 'flush') cache.flush()
          else {
            cache.close()
            caches[step.process] = StatCache.open(folder)
          }
          for (const path of PATHS) {
            for (let version = 0; version < 10; version++) {
              if (isKnown(caches[step.process]!, path, version))
                expect(recorded).toContain(`${path} ${version}`)
            }
          }
        }
        for (const cache of caches) cache.close()
      }),
      { numRuns: 60 },
    )
  })
})
