import { describe, expect, test } from 'vitest'
import { type Mergeable, planMerges } from '../../../../core/transfer/push/plan-merges.ts'

const MIB = 2 ** 20

function pieces(...sizes: number[]): Mergeable<string>[] {
  return sizes.map((sizeBytes, i) => ({ name: `${i}`, sizeBytes }))
}

/** Pushes one piece after the other, each time merging as planned. */
function simulate(sizes: Iterable<number>, mostBytes: number) {
  let live: Mergeable<string>[] = []
  let [rewritten, sent, mostLive, mostAtOnce] = [0, 0, 0, 0]
  let count = 0
  for (const sizeBytes of sizes) {
    sent += sizeBytes
    live.push({ name: `${count++}`, sizeBytes })
    let atOnce = 0
    for (const names of planMerges(live, mostBytes)) {
      const merged = live.filter(({ name }) => names.includes(name))
      const total = merged.reduce((sum, piece) => sum + piece.sizeBytes, 0)
      atOnce += total
      live = [...live.filter(({ name }) => !names.includes(name)), { name: `${count++}`, sizeBytes: total }]
    }
    rewritten += atOnce
    mostAtOnce = Math.max(mostAtOnce, atOnce)
    mostLive = Math.max(mostLive, live.length)
  }
  return { rewritten, sent, mostLive, mostAtOnce, live }
}

describe('planMerges', () => {
  test('leaves seven of a class alone, and merges eight', () => {
    expect(planMerges(pieces(...Array(7).fill(1000)), MIB)).toEqual([])
    expect(planMerges(pieces(...Array(8).fill(1000)), MIB)).toEqual([
      ['0', '1', '2', '3', '4', '5', '6', '7'],
    ])
  })

  test('merges nothing twice in one go: what comes of a merge is merged further at once', () => {
    const plan = planMerges(pieces(...Array(8).fill(1000), ...Array(7).fill(8000)), MIB)
    expect(plan).toHaveLength(1)
    expect(plan[0]).toHaveLength(15)
  })

  test('takes no more than fits, the smallest first, and does not begin with less than eight', () => {
    const crowd = pieces(...Array.from({ length: 20 }, (_, i) => 2_100_000 + i * 10_000))
    expect(planMerges(crowd, 17 * MIB)).toEqual([['0', '1', '2', '3', '4', '5', '6', '7']])
    expect(planMerges(crowd, 15 * MIB)).toEqual([])
  })

  test('leaves large pieces alone where small ones come', () => {
    const plan = planMerges(pieces(40_000 * MIB, ...Array(8).fill(1000)), 32 * MIB)
    expect(plan).toEqual([['1', '2', '3', '4', '5', '6', '7', '8']])
  })

  test('keeps few pieces, rewrites a byte once a class, and little at once', () => {
    const small = simulate(Array(5000).fill(20_000), 32 * MIB)
    // Classes of 20 KB, 160 KB, 1.3 MB and 10 MB: seven of each, and those of over 32 MB that are done.
    expect(small.mostLive).toBeLessThanOrEqual(4 * 7 + Math.ceil(small.sent / (8 * MIB)))
    expect(small.rewritten).toBeLessThanOrEqual(small.sent * 5)
    expect(small.mostAtOnce).toBeLessThanOrEqual(32 * MIB)
  })

  test('copes with pieces of all sizes', () => {
    let state = 1
    const sizes = Array.from({ length: 3000 }, () => {
      state = (state * 48271) % 2147483647
      return 16_384 * 2 ** (state % 12)
    })
    const { mostLive, rewritten, sent, mostAtOnce } = simulate(sizes, 256 * MIB)
    expect(mostLive).toBeLessThanOrEqual(7 * 7 + sent / (64 * MIB))
    expect(rewritten).toBeLessThanOrEqual(sent * 6)
    expect(mostAtOnce).toBeLessThanOrEqual(2 * 256 * MIB)
  })
})
