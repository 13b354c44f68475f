import { describe, expect, it } from 'vitest'
import { INPUTS, SeededRandom, withInsertion } from '../../../bench/chunking/inputs.ts'
import { newShare } from '../../../bench/chunking/resync.ts'
import { chunkLengths } from '../../../core/chunking/rot256.ts'

const SIZE_BYTES = 8_000_000

/**
 * The largest share of new bytes that is accepted in 8 MB. On average over places it is below 3.6 %, and 1.5 % for
 * most inputs (a third of that in the 24 MB of docs/decisions/0001-rot256-tables.md).
 */
const LIMIT = 0.08

function makeInput(name: string, random: SeededRandom): Uint8Array {
  return INPUTS.find((input) => input.name === name)!.make(SIZE_BYTES, random)
}

function cut(bytes: Uint8Array) {
  return { bytes, lengths: chunkLengths(bytes) }
}

describe('after an edit near the start', () => {
  const promised = INPUTS.filter((input) => !input.isStretch).map((input) => input.name)
  const lowEntropy = promised.filter((name) => /ratings|one-hot|masks|labels|non-zero|ones/.test(name))

  it.each(promised)('most chunks are known: %s', (name) => {
    const random = new SeededRandom(41)
    const bytes = makeInput(name, random)
    const inserted = withInsertion(bytes, { offset: 100_001, count: 1003, random })
    expect(newShare(cut(bytes), cut(inserted))).toBeLessThan(LIMIT)
  })

  it.each(lowEntropy)('what is cut out costs as little: %s', (name) => {
    const bytes = makeInput(name, new SeededRandom(51))
    const rest = Buffer.concat([bytes.subarray(0, 100_001), bytes.subarray(101_004)])
    expect(newShare(cut(bytes), cut(rest))).toBeLessThan(LIMIT)
  })

  it('a changed byte changes one chunk, or few', () => {
    const bytes = makeInput('random', new SeededRandom(42))
    const changed = Uint8Array.from(bytes)
    changed[4_000_000]! ^= 1
    const share = newShare(cut(bytes), cut(changed))
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(LIMIT)
  })

  it('bytes prepended cost the first chunks alone', () => {
    const bytes = makeInput('random', new SeededRandom(43))
    const prepended = withInsertion(bytes, { offset: 0, count: 1, random: new SeededRandom(44) })
    expect(newShare(cut(bytes), cut(prepended))).toBeLessThan(LIMIT)
  })

  it('bytes appended change the last chunk alone', () => {
    const bytes = makeInput('text', new SeededRandom(45))
    const before = chunkLengths(bytes)
    const after = chunkLengths(Buffer.concat([bytes, Buffer.from('one more line\n')]))
    expect(after.slice(0, before.length - 1)).toEqual(before.slice(0, -1))
  })
})
