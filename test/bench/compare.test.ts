import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'

type Side = { seconds: number[]; peakMB: number | null; newBytes?: number; newFiles?: number }
type Beside = {
  machine: string
  varve: string
  tool: string
  failure?: { step: string; message: string }
} & {
  steps: Record<string, { varve: Side; other?: Side }>
}
type Results = Record<string, Record<string, Beside>>
type Ratios = { median: number; least: number; most: number; pairs: number }

const { render } = await load<{ render: (results: Results) => string }>('render.mjs')
const { pairwiseRatios } = await load<{ pairwiseRatios: (a: number[], b: number[]) => Ratios }>(
  'statistics.mjs',
)

const facts = { machine: '2 cores', varve: 'varve 0.1.0' }
const side = (...seconds: number[]): Side => ({ seconds, peakMB: 100 })

describe('the page of the benchmarks', () => {
  it('holds a target against the pairs, not against the medians', () => {
    // Pair by pair 1.0, 1.0 and 4.0: a slow spell of both is no fault of either.
    const page = render({
      A: { cp: { ...facts, tool: 'cp 9', steps: { add: { varve: side(9, 1, 4), other: side(9, 1, 1) } } } },
    })
    expect(page).toContain('| 1.10× | 0.70× | 1.00× (1.00 to 4.00) | met |')
  })

  it('says which target is not met, and what was not measured', () => {
    const page = render({
      A: { cp: { ...facts, tool: 'cp 9', steps: { status: { varve: side(0.5, 0.5) } } } },
    })
    expect(page).toMatch(/A: status, nothing changed \|.*\| \*\*not met\*\* \|/)
    expect(page).toMatch(/B: add, .*\| not measured \|/)
    expect(page).toMatch(/not measured: cat, git-lfs/)
  })

  it('lists the rows in which another tool is faster, and those alone', () => {
    const steps = {
      add: { varve: side(1), other: side(3) },
      push: { varve: side(2), other: side(1) },
    }
    const page = render({ A: { borg: { ...facts, tool: 'borg 1.2', steps } } })
    const losses = /## Where another tool is faster\n\n([\s\S]*?)\n\n/.exec(page)?.[1]
    expect(losses).toBe('- A, push to a folder: borg, 0.50×, one pair')
  })

  it('tells of a tool that took too long', () => {
    const failure = { step: 'push', message: 'over 600 s' }
    const steps = { add: { varve: side(1), other: side(3) }, push: { varve: side(1) } }
    const page = render({ A: { dvc: { ...facts, tool: '3', failure, steps } } })
    expect(page).toContain('| push to a folder | 1.00 s | over 600 s |')
  })
})

test('a ratio is the median over pairs, with its range', () => {
  expect(pairwiseRatios([2, 9, 4], [1, 3, 4])).toEqual({ median: 2, least: 1, most: 3, pairs: 3 })
  expect(pairwiseRatios([2, 4], [1, 1]).median).toBe(3)
})

const results = 'bench/compare/results.json'
test.skipIf(!existsSync(results))('the page in docs is what the results say', () => {
  expect(readFileSync('docs/benchmarks.md', 'utf8')).toBe(render(JSON.parse(readFileSync(results, 'utf8'))))
})

/** The programs of bench/ are plain JavaScript, which the type checker does not read. */
function load<T>(file: string): Promise<T> {
  return import(new URL(`../../bench/compare/${file}`, import.meta.url).href)
}
