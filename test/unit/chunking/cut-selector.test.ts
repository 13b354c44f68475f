import { describe, expect, it } from 'vitest'
import {
  CutSelector,
  MAX_CHUNK_BYTES,
  MIN_CHUNK_BYTES,
  NORMAL_CHUNK_BYTES,
  WINDOW_BYTES,
} from '../../../core/chunking/cut-selector.ts'

const weakAtLength = (lengthBytes: number) => (lengthBytes - 1) * 2
const strongAtLength = (lengthBytes: number) => weakAtLength(lengthBytes) + 1

function cutsOf(candidates: number[], sizeBytes: number): { cuts: number[]; openBytes: number } {
  const selector = new CutSelector()
  const cuts: number[] = []
  selector.take({ candidates, count: candidates.length, sizeBytes }, (length) => cuts.push(length))
  return { cuts, openBytes: selector.openBytes }
}

describe('CutSelector', () => {
  it('passes over everything below the minimum', () => {
    expect(cutsOf([strongAtLength(1), strongAtLength(MIN_CHUNK_BYTES - 1)], 20_000)).toEqual({
      cuts: [],
      openBytes: 20_000,
    })
  })

  it('ends a chunk of the minimum length where the whole hash is 0', () => {
    expect(cutsOf([strongAtLength(MIN_CHUNK_BYTES)], 20_000)).toEqual({
      cuts: [MIN_CHUNK_BYTES],
      openBytes: 20_000 - MIN_CHUNK_BYTES,
    })
  })

  it('asks for the whole hash up to the normal length, and for fourteen bits from there on', () => {
    const { cuts } = cutsOf([weakAtLength(NORMAL_CHUNK_BYTES - 1), weakAtLength(NORMAL_CHUNK_BYTES)], 70_000)
    expect(cuts).toEqual([NORMAL_CHUNK_BYTES])
  })

  it('ends a chunk just below the normal length where the whole hash is 0', () => {
    expect(cutsOf([strongAtLength(NORMAL_CHUNK_BYTES - 1)], 70_000).cuts).toEqual([NORMAL_CHUNK_BYTES - 1])
  })

  it('forces every chunk that reaches the maximum, and counts the next from there', () => {
    const sizeBytes = 3 * MAX_CHUNK_BYTES + 10
    expect(cutsOf([], sizeBytes)).toEqual({ cuts: new Array(3).fill(MAX_CHUNK_BYTES), openBytes: 10 })
    const justAfter = strongAtLength(MAX_CHUNK_BYTES + MIN_CHUNK_BYTES - 1)
    expect(cutsOf([justAfter], MAX_CHUNK_BYTES + MIN_CHUNK_BYTES).cuts).toEqual([MAX_CHUNK_BYTES])
    const late = strongAtLength(MAX_CHUNK_BYTES + MIN_CHUNK_BYTES)
    expect(cutsOf([late], sizeBytes).cuts).toEqual([MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, MAX_CHUNK_BYTES])
  })

  it('cuts once where a candidate lies at the maximum', () => {
    expect(cutsOf([weakAtLength(MAX_CHUNK_BYTES)], MAX_CHUNK_BYTES)).toEqual({
      cuts: [MAX_CHUNK_BYTES],
      openBytes: 0,
    })
  })

  it('goes on with the open chunk in the next stretch, and tells what needs no hash', () => {
    const selector = new CutSelector()
    const cuts: number[] = []
    expect(selector.unhashedBytes).toBe(MIN_CHUNK_BYTES - WINDOW_BYTES)
    selector.skip(MIN_CHUNK_BYTES - WINDOW_BYTES)
    expect(selector.unhashedBytes).toBe(0)
    selector.take(
      { candidates: [strongAtLength(WINDOW_BYTES)], count: 1, sizeBytes: WINDOW_BYTES },
      (length) => cuts.push(length),
    )
    expect(cuts).toEqual([MIN_CHUNK_BYTES])
    expect(selector.openBytes).toBe(0)
  })

  it('looks at no more candidates than `count`', () => {
    const selector = new CutSelector()
    selector.take({ candidates: [strongAtLength(MIN_CHUNK_BYTES)], count: 0, sizeBytes: 20_000 }, () => {
      throw new Error('a cut from beyond the count')
    })
    expect(selector.openBytes).toBe(20_000)
  })
})
