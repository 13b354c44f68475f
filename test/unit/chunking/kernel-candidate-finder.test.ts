import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { INPUTS, SeededRandom } from '../../../bench/chunking/inputs.ts'
import { CandidateFinder, findCandidates } from '../../../core/chunking/candidate-finder.ts'
import type { Finder } from '../../../core/chunking/finder.ts'
import { compileKernel, KernelCandidateFinder } from '../../../core/chunking/kernel-candidate-finder.ts'
import { byteMapOf, type Rot256Tables, TABLES } from '../../../core/chunking/tables.ts'
import { builtKernel } from './built-kernel.ts'

const kernel = builtKernel()

/** Takes the value of the byte 0 out of all values: its own becomes 0, so that runs of it are nothing but candidates. */
const TABLES_WITHOUT_ZERO: Rot256Tables = {
  lo0: TABLES.lo0.map((value) => value ^ TABLES.lo0[0]!),
  hi0: TABLES.hi0.map((value) => value ^ TABLES.hi0[0]!),
  lo1: TABLES.lo1.map((value) => value ^ TABLES.lo1[0]!),
  hi1: TABLES.hi1.map((value) => value ^ TABLES.hi1[0]!),
}

function inputNamed(name: string, sizeBytes: number): Uint8Array {
  return INPUTS.find((input) => input.name === name)!.make(sizeBytes, new SeededRandom(11))
}

/** Zeros, and here and there a byte whose way through the window shows in which positions are no candidates. */
function sparseBytes(sizeBytes: number): Uint8Array {
  const random = new SeededRandom(12)
  const bytes = new Uint8Array(sizeBytes)
  for (let i = 100; i < sizeBytes; i += 1 + random.below(700)) bytes[i] = 1 + random.below(255)
  return bytes
}

/** All that a finder finds in blocks of `sizes`, begun again from the first as often as needed. */
function foundInBlocks(finder: Finder, bytes: Uint8Array, sizes: readonly number[]): number[] {
  const all: number[] = []
  for (let start = 0, i = 0; start < bytes.length; i++) {
    const end = Math.min(start + sizes[i % sizes.length]!, bytes.length)
    const count = finder.find(bytes, start, end)
    for (const candidate of finder.candidates.subarray(0, count)) all.push(2 * start + candidate)
    start = end
  }
  return all
}

describe('KernelCandidateFinder', () => {
  const finder = new KernelCandidateFinder(kernel)
  const { blockBytes } = finder

  it.each(INPUTS.map((input) => input.name))('finds what the reference finds: %s', (name) => {
    const bytes = inputNamed(name, 512 * 1024).subarray(1, 512 * 1024 - 2)
    expect(findCandidates(bytes, undefined, finder)).toEqual(findCandidates(bytes))
  })

  it('finds what the reference finds in a run of one byte, whichever it is', () => {
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(300).fill(byte)
      expect(findCandidates(bytes, undefined, finder)).toEqual(findCandidates(bytes))
    }
  })

  it.each([
    ['fixed tables, random bytes', TABLES, inputNamed('random', 200_003)],
    ['fixed tables, masks', TABLES, inputNamed('uint8 masks 0 and 1, runs of 20 to 420', 200_003)],
    ['fixed tables, one byte', TABLES, new Uint8Array(20_001).fill(0xa7)],
    ['tables with 0 for 0, sparse bytes', TABLES_WITHOUT_ZERO, sparseBytes(100_003)],
    ['tables with 0 for 0, random bytes', TABLES_WITHOUT_ZERO, inputNamed('random', 100_003)],
  ])('finds the same whatever the blocks: %s', (_name, tables, bytes) => {
    const under = new KernelCandidateFinder(kernel, tables)
    const whole = findCandidates(bytes, undefined, new CandidateFinder(byteMapOf(tables)))
    const size = fc.oneof(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: blockBytes - 20, max: blockBytes }),
      fc.integer({ min: 1, max: blockBytes }),
    )
    fc.assert(
      fc.property(fc.array(size, { minLength: 1, maxLength: 20 }), (sizes) => {
        under.reset()
        expect(foundInBlocks(under, bytes, sizes)).toEqual(whole)
      }),
      { numRuns: 30 },
    )
  })

  it('is told apart from the reference by sparse bytes, if by anything', () => {
    const bytes = sparseBytes(100_003)
    const found = findCandidates(bytes, undefined, new KernelCandidateFinder(kernel, TABLES_WITHOUT_ZERO))
    expect(found.length).toBeGreaterThan(10_000)
    expect(found.length).toBeLessThan(90_000)
    expect(found.filter((candidate) => candidate % 2 === 0).length).toBeGreaterThan(0)
  })

  it('knows each size around a turn and around the window, with every number of bytes held back', () => {
    const bytes = sparseBytes(4096)
    const under = new KernelCandidateFinder(kernel, TABLES_WITHOUT_ZERO)
    const whole = findCandidates(bytes, undefined, new CandidateFinder(byteMapOf(TABLES_WITHOUT_ZERO)))
    for (let held = 0; held <= 17; held++) {
      for (const size of [1, 15, 16, 17, 31, 32, 33, 255, 256, 257]) {
        under.reset()
        const first = held === 0 ? [] : foundInBlocks(under, bytes.subarray(0, held), [held])
        const rest = foundInBlocks(under, bytes.subarray(held), [size])
        expect([...first, ...rest.map((candidate) => candidate + 2 * held)]).toEqual(whole)
      }
    }
  })

  it('finds the same in parts that know the 255 bytes before them', () => {
    const bytes = inputNamed('boolean bytes, 50 %', 400_000)
    const whole = findCandidates(bytes)
    expect(whole.length).toBeGreaterThan(10)
    fc.assert(
      fc.property(fc.integer({ min: 255, max: bytes.length }), (middle) => {
        const history = bytes.subarray(middle - 255, middle)
        const found = findCandidates(bytes.subarray(middle), history, finder)
        expect(found.map((candidate) => candidate + 2 * middle)).toEqual(
          whole.filter((candidate) => candidate >= 2 * middle),
        )
      }),
      { numRuns: 40 },
    )
  })

  it('takes no bytes at all, and whole blocks of nothing but candidates', () => {
    const nothing = new Uint8Array(16)
    const tables = { lo0: nothing, hi0: nothing, lo1: nothing, hi1: nothing }
    const under = new KernelCandidateFinder(kernel, tables)
    const bytes = new Uint8Array(3 * blockBytes).fill(7)
    expect(under.find(bytes, 0, 0)).toBe(0)
    expect(under.find(bytes, 0, 15)).toBe(15)
    expect(under.find(bytes, 15, 15)).toBe(0)
    for (const start of [15, 15 + blockBytes]) {
      expect(under.find(bytes, start, start + blockBytes)).toBe(blockBytes)
      expect(Array.from(under.candidates)).toEqual(Array.from({ length: blockBytes }, (_, i) => 2 * i + 1))
    }
  })

  it('forgets everything on reset', () => {
    const bytes = sparseBytes(blockBytes)
    const under = new KernelCandidateFinder(kernel, TABLES_WITHOUT_ZERO)
    const expected = foundInBlocks(under, bytes, [blockBytes])
    under.find(new Uint8Array(1001).fill(255), 0, 1001)
    under.reset()
    expect(foundInBlocks(under, bytes, [blockBytes])).toEqual(expected)
  })

  it('shares nothing with another finder', () => {
    const bytes = inputNamed('random', 300_000)
    const whole = findCandidates(bytes)
    const finders = [new KernelCandidateFinder(kernel), new KernelCandidateFinder(kernel)] as const
    const found: number[][] = [[], []]
    for (let start = 0; start < bytes.length; start += 1000) {
      for (const [i, one] of finders.entries()) {
        const count = one.find(bytes, start, start + 1000)
        for (const candidate of one.candidates.subarray(0, count)) found[i]!.push(2 * start + candidate)
      }
    }
    expect(found).toEqual([whole, whole])
  })

  it('reads from shared memory', () => {
    const bytes = inputNamed('random', 300_000)
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length))
    shared.set(bytes)
    expect(findCandidates(shared, undefined, finder)).toEqual(findCandidates(bytes))
  })
})

describe('compileKernel', () => {
  /** A module of one function, whose body is the instruction given and an end. */
  const moduleOf = (...instruction: number[]) =>
    Uint8Array.from([
      ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
      ...[1, 4, 1, 0x60, 0, 0],
      ...[3, 2, 1, 0],
      ...[10, instruction.length + 4, 1, instruction.length + 2, 0, ...instruction, 11],
    ])

  it('gives nothing where the engine does not know an instruction', () => {
    const nop = [1]
    const unknownVectorInstruction = [0xfd, 0xff, 0xff, 3]
    expect(compileKernel(moduleOf(...nop))).not.toBeNull()
    expect(compileKernel(moduleOf(...unknownVectorInstruction))).toBeNull()
  })
})
