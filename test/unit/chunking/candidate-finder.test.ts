import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { INPUTS, SeededRandom } from '../../../bench/chunking/inputs.ts'
import { CandidateFinder, findCandidates } from '../../../core/chunking/candidate-finder.ts'
import { naiveHashes } from './naive-rot256.ts'

function naiveCandidates(bytes: Uint8Array): number[] {
  const all: number[] = []
  const hashes = naiveHashes(bytes)
  for (let i = 0; i < bytes.length; i++) {
    const hash = hashes[i]!
    if ((hash & 0xfffc) === 0) all.push(2 * i + (hash === 0 ? 1 : 0))
  }
  return all
}

function inputNamed(name: string, sizeBytes: number): Uint8Array {
  return INPUTS.find((input) => input.name === name)!.make(sizeBytes, new SeededRandom(7))
}

describe('findCandidates', () => {
  it.each(INPUTS.map((input) => input.name))('finds what the definition says: %s', (name) => {
    const bytes = inputNamed(name, 128 * 1024).subarray(0, 128 * 1024 - 1)
    expect(findCandidates(bytes)).toEqual(naiveCandidates(bytes))
  })

  it('takes the value, not the byte, before the blob to be 0', () => {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(300).fill(byte)
      expect(findCandidates(bytes)).toEqual(naiveCandidates(bytes))
    }
  })

  it('finds the same in parts that know the 255 bytes before them', () => {
    const bytes = inputNamed('boolean bytes, 50 %', 400_000)
    const whole = findCandidates(bytes)
    expect(whole.length).toBeGreaterThan(10)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length }), (middle) => {
        const first = findCandidates(bytes.subarray(0, middle))
        const second = findCandidates(
          bytes.subarray(middle),
          bytes.subarray(Math.max(0, middle - 255), middle),
        )
        expect([...first, ...second.map((candidate) => candidate + 2 * middle)]).toEqual(whole)
      }),
      { numRuns: 40 },
    )
  })
})

describe('CandidateFinder', () => {
  const { blockBytes } = new CandidateFinder()

  it('tells each candidate once, whether its pair of positions came in one call or in two', () => {
    const bytes = inputNamed('random', 300_000)
    const expected = naiveCandidates(bytes)
    for (const step of [1, 2, 3, 4095, blockBytes]) {
      const finder = new CandidateFinder()
      const all: number[] = []
      for (let start = 0; start < bytes.length; start += step) {
        const found = finder.find(bytes, start, Math.min(start + step, bytes.length))
        for (let i = 0; i < found; i++) all.push(2 * start + finder.candidates[i]!)
      }
      expect(all).toEqual(expected)
    }
  })

  it('has room for a whole block of candidates', () => {
    const finder = new CandidateFinder(new Uint16Array(256))
    expect(finder.find(new Uint8Array(blockBytes), 0, blockBytes)).toBe(blockBytes)
    expect(Array.from(finder.candidates.subarray(0, 3))).toEqual([1, 3, 5])
    expect(finder.candidates[blockBytes - 1]).toBe(2 * blockBytes - 1)
  })

  it('forgets everything on reset', () => {
    const bytes = inputNamed('random', blockBytes)
    const finder = new CandidateFinder()
    finder.find(bytes, 0, 1001)
    finder.reset()
    const found = finder.find(bytes, 0, bytes.length)
    expect(Array.from(finder.candidates.subarray(0, found))).toEqual(naiveCandidates(bytes))
  })
})
