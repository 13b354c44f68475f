import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { threadsFor, WorkBatches } from '../../../core/workspace/work-batches.ts'

const MOST_BYTES = 8 << 20
const MOST_FILES = 512

function drain(work: WorkBatches<number>): number[][] {
  const batches: number[][] = []
  for (let batch = work.next(); batch !== undefined; batch = work.next()) batches.push(batch)
  expect(work.next()).toBeUndefined()
  return batches
}

function allBatches(sizes: Iterable<number>): number[][] {
  const work = new WorkBatches<number>((size) => size)
  work.add(sizes)
  return drain(work)
}

describe('WorkBatches', () => {
  test('hands out everything once and in order, and no batch goes on past its bytes or files', () => {
    const size = fc.oneof(fc.nat(100), fc.nat(MOST_BYTES), fc.constantFrom(0, MOST_BYTES, 40 << 20))
    fc.assert(
      fc.property(fc.array(size, { maxLength: 1500, size: 'max' }), (sizes) => {
        const batches = allBatches(sizes)
        expect(batches.flat()).toEqual(sizes)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(MOST_FILES)
          // Only the last of them may go beyond.
          expect(batch.slice(0, -1).reduce((sum, one) => sum + one, 0)).toBeLessThan(MOST_BYTES)
        }
      }),
      { numRuns: 30 },
    )
  })

  test('fills batches: of many files all but the last have the most', () => {
    expect(allBatches(Array(1100).fill(10)).map((batch) => batch.length)).toEqual([512, 512, 76])
    expect(allBatches(Array(20).fill(1 << 20)).map((batch) => batch.length)).toEqual([8, 8, 4])
  })

  test('asks for a file when its turn comes', () => {
    let asked = 0
    function* files() {
      for (; asked < 10_000; ) yield asked++
    }
    const work = new WorkBatches<number>(() => 1)
    work.add(files())
    work.next()
    expect(asked).toBe(MOST_FILES)
  })

  test('goes through very many additions, emptied or not, in their order', () => {
    const work = new WorkBatches<number>((size) => size)
    for (let i = 0; i < 5000; i++) work.add(i % 3 === 0 ? [] : [i])
    const first = work.next()!
    for (let i = 5000; i < 6000; i++) work.add([i])
    const all = [...first, ...drain(work).flat()]
    expect(all).toEqual(Array.from({ length: 6000 }, (_, i) => i).filter((i) => i >= 5000 || i % 3 !== 0))
  })

  test('takes more at any time, and fills a batch from several additions', () => {
    const work = new WorkBatches<number>((size) => size)
    expect(work.next()).toBeUndefined()
    work.add([1, 2])
    work.add([])
    work.add([3])
    expect(drain(work)).toEqual([[1, 2, 3]])
    work.add([4])
    expect(drain(work)).toEqual([[4]])
  })
})

test('threadsFor takes threads where there is work for them', () => {
  expect(threadsFor({ files: 200, bytes: 4 << 20 }, 3)).toBe(0)
  expect(threadsFor({ files: 201, bytes: 0 }, 3)).toBe(3)
  expect(threadsFor({ files: 1, bytes: (4 << 20) + 1 }, 3)).toBe(3)
})
