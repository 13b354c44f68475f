import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CandidateFinder } from '../../../core/chunking/candidate-finder.ts'
import { CHUNKING_NAME, chunkLengths } from '../../../core/chunking/rot256.ts'
import { contentIdOf, digestOf } from '../../../core/content-id.ts'
import { GOLDEN_GENERATORS, xorshift32 } from './golden-inputs.ts'

type Golden = {
  chunking: string
  vectors: {
    generator: string
    seed: number
    sizeBytes: number
    contentId: string
    lengths: number[]
    chunkListId: string
  }[]
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('../../golden/chunking/rot256-v1.json', import.meta.url), 'utf8'),
)

describe('the golden cuts', () => {
  it('are of this chunking, and of every generator', () => {
    expect(golden.chunking).toBe(CHUNKING_NAME)
    expect(new Set(golden.vectors.map(({ generator }) => generator))).toEqual(
      new Set(Object.keys(GOLDEN_GENERATORS)),
    )
  })

  it.each(golden.vectors)('$generator, $sizeBytes bytes from seed $seed', (vector) => {
    const bytes = GOLDEN_GENERATORS[vector.generator]!(vector.sizeBytes, xorshift32(vector.seed))
    expect(contentIdOf(bytes)).toBe(vector.contentId)
    const lengths = chunkLengths(bytes)
    expect(lengths).toEqual(vector.lengths)
    expect(chunkLengths(bytes, new CandidateFinder())).toEqual(vector.lengths)
    let start = 0
    const digests = lengths.map((length) => {
      start += length
      return digestOf(bytes.subarray(start - length, start))
    })
    expect(contentIdOf(Buffer.concat(digests))).toBe(vector.chunkListId)
  })
})
