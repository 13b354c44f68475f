import { describe, expect, it } from 'vitest'
import { INPUTS, SeededRandom } from '../../../bench/chunking/inputs.ts'
import { CandidateFinder } from '../../../core/chunking/candidate-finder.ts'
import { createCandidateFinder } from '../../../core/chunking/create-candidate-finder.ts'
import { KernelCandidateFinder } from '../../../core/chunking/kernel-candidate-finder.ts'
import { chunkLengths } from '../../../core/chunking/rot256.ts'

describe('createCandidateFinder', () => {
  it('gives the kernel where it can run', () => {
    expect(createCandidateFinder()).toBeInstanceOf(KernelCandidateFinder)
  })

  it('gives the plain reference where there is no kernel', () => {
    expect(createCandidateFinder(null)).toBeInstanceOf(CandidateFinder)
  })

  it('gives the plain reference where the kernel finds no room', () => {
    const withoutRoom = () => {
      throw new RangeError('could not allocate memory')
    }
    expect(createCandidateFinder(withoutRoom)).toBeInstanceOf(CandidateFinder)
  })

  it('hides no other failure', () => {
    const broken = () => {
      throw new TypeError('not a kernel')
    }
    expect(() => createCandidateFinder(broken)).toThrow('not a kernel')
  })

  it.each(INPUTS.map((input) => input.name))('gives finders that cut alike: %s', (name) => {
    const bytes = INPUTS.find((input) => input.name === name)!.make(2_000_000, new SeededRandom(21))
    expect(chunkLengths(bytes, createCandidateFinder())).toEqual(
      chunkLengths(bytes, createCandidateFinder(null)),
    )
  })
})
