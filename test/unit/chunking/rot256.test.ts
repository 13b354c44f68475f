import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { INPUTS, SeededRandom } from '../../../bench/chunking/inputs.ts'
import { CandidateFinder } from '../../../core/chunking/candidate-finder.ts'
import { createCandidateFinder } from '../../../core/chunking/create-candidate-finder.ts'
import { MAX_CHUNK_BYTES, MIN_CHUNK_BYTES } from '../../../core/chunking/cut-selector.ts'
import { CHUNKING_NAME, chunkLengths, Rot256Chunker } from '../../../core/chunking/rot256.ts'
import { naiveChunkLengths } from './naive-rot256.ts'

const MIB = 1024 * 1024

function inputNamed(name: string, sizeBytes: number, seed = 1): Uint8Array {
  return INPUTS.find((input) => input.name === name)!.make(sizeBytes, new SeededRandom(seed))
}

function pushedInPieces(bytes: Uint8Array, sizes: Iterable<number>): number[] {
  const lengths: number[] = []
  const chunker = new Rot256Chunker()
  let start = 0
  for (const size of sizes) {
    chunker.push(bytes.subarray(start, start + size), (length) => lengths.push(length))
    start += size
    if (start >= bytes.length) break
  }
  chunker.push(bytes.subarray(start), (length) => lengths.push(length))
  const last = chunker.finish()
  return last > 0 ? [...lengths, last] : lengths
}

function expectWithinBounds(lengths: number[], sizeBytes: number): void {
  expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(sizeBytes)
  for (const length of lengths.slice(0, -1)) expect(length).toBeGreaterThanOrEqual(MIN_CHUNK_BYTES)
  for (const length of lengths) expect(length).toBeLessThanOrEqual(MAX_CHUNK_BYTES)
  expect(lengths.at(-1)).toBeGreaterThan(0)
}

describe('rot256', () => {
  it('has the name that stores record', () => {
    expect(CHUNKING_NAME).toBe('rot256-v1')
  })

  it.each(INPUTS.map((input) => input.name))('keeps every length within its bounds: %s', (name) => {
    const bytes = inputNamed(name, MIB)
    expectWithinBounds(chunkLengths(bytes), bytes.length)
  })

  it('makes chunks of 57 KiB on average of random bytes', () => {
    const bytes = inputNamed('random', 24 * MIB)
    const meanKib = bytes.length / chunkLengths(bytes).length / 1024
    expect(meanKib).toBeGreaterThan(50)
    expect(meanKib).toBeLessThan(64)
  })

  it.each([0, 1, 255, 256, MIN_CHUNK_BYTES - 1, MIN_CHUNK_BYTES])(
    'leaves %d bytes of zeros as one chunk or none',
    (size) => {
      expect(chunkLengths(new Uint8Array(size))).toEqual(size === 0 ? [] : [size])
    },
  )

  it('forces a cut at exactly the maximum, and has nothing left where the blob ends there', () => {
    const lengths: number[] = []
    const chunker = new Rot256Chunker()
    chunker.push(new Uint8Array(MAX_CHUNK_BYTES - 1), (length) => lengths.push(length))
    expect(lengths).toEqual([])
    chunker.push(new Uint8Array(1), (length) => lengths.push(length))
    expect(lengths).toEqual([MAX_CHUNK_BYTES])
    expect(chunker.finish()).toBe(0)
    expect(chunkLengths(new Uint8Array(MAX_CHUNK_BYTES + 1))).toEqual([MAX_CHUNK_BYTES, 1])
  })

  it('has nothing left where the blob ends exactly at a cut that its content chose', () => {
    const bytes = inputNamed('random', MIB)
    const first = chunkLengths(bytes)[0]!
    const lengths: number[] = []
    const chunker = new Rot256Chunker()
    chunker.push(bytes.subarray(0, first), (length) => lengths.push(length))
    expect(lengths).toEqual([first])
    expect(chunker.finish()).toBe(0)
  })

  it.each([
    'random',
    'text',
    'float64 ratings 0 to 4',
    'float32 one-hot of 10',
    'uint8 masks 0 and 1, runs of 20 to 420',
    'float32, 1 % non-zero',
    'uint8 one-hot of 10',
  ])('cuts where the definition says, computed literally: %s', (name) => {
    // The odd length and the odd first byte set the pairs and turns of the fast loops against the definition's positions.
    const bytes = inputNamed(name, MIB, 5).subarray(3, MIB - 2)
    const expected = naiveChunkLengths(bytes)
    expect(chunkLengths(bytes)).toEqual(expected)
    expect(chunkLengths(bytes, new CandidateFinder())).toEqual(expected)
  })

  it('does not depend on how the bytes are spread over calls', () => {
    const arrays = ['random', 'float64 ratings 0 to 4', 'uint8 masks 0 and 1, runs of 20 to 420'].map(
      (name) => {
        const bytes = inputNamed(name, 700_001)
        return { bytes, whole: chunkLengths(bytes) }
      },
    )
    const sizes = fc.array(fc.oneof(fc.nat(3), fc.nat(5000), fc.nat(200_000)), { maxLength: 60 })
    fc.assert(
      fc.property(fc.constantFrom(...arrays), sizes, ({ bytes, whole }, pieces) => {
        expect(pushedInPieces(bytes, pieces)).toEqual(whole)
      }),
      { numRuns: 150 },
    )
  })

  it('gives the same cuts to bytes that arrive one at a time', () => {
    const bytes = inputNamed('random', 300_000)
    expect(pushedInPieces(bytes, new Array<number>(bytes.length).fill(1))).toEqual(chunkLengths(bytes))
  })

  it.each([
    ['the plain reference', () => new CandidateFinder()],
    ['the finder of choice', () => createCandidateFinder()],
  ])('cuts a blob with a finder that has seen another as with a new one: %s', (_name, makeFinder) => {
    const finder = makeFinder()
    new Rot256Chunker(finder).push(inputNamed('text', 100_001), () => {})
    const bytes = inputNamed('random', MIB)
    const lengths: number[] = []
    const chunker = new Rot256Chunker(finder)
    chunker.push(bytes, (length) => lengths.push(length))
    expect([...lengths, chunker.finish()]).toEqual(chunkLengths(bytes))
  })
})
