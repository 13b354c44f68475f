import { describe, expect, it } from 'vitest'
import { findCandidates } from '../../../core/chunking/candidate-finder.ts'
import { byteMapOf, g, TABLES } from '../../../core/chunking/tables.ts'
import { naiveHashes } from './naive-rot256.ts'

describe('the tables of rot256-v1', () => {
  it('are four times sixteen bytes, and give each byte a value of its own', () => {
    for (const table of Object.values(TABLES)) expect(table.length).toBe(16)
    expect(g).toEqual(byteMapOf(TABLES))
    expect(new Set(g).size).toBe(256)
  })

  it('are put together as the format page says', () => {
    const { lo0, hi0, lo1, hi1 } = TABLES
    expect(g[0xa7]).toBe((lo0[7]! ^ hi0[10]!) + 256 * (lo1[7]! ^ hi1[10]!))
  })

  it('make no run of one byte a candidate, whichever byte it is', () => {
    const runHashes = Array.from({ length: 256 }, (_, byte) => naiveHashes(new Uint8Array(600).fill(byte)))
    for (const hashes of runHashes) {
      expect(new Set(hashes.subarray(255)).size).toBe(1)
      expect(hashes[599]! & 0xfffc).not.toBe(0)
    }
    for (let byte = 0; byte < 256; byte++) {
      const settled = findCandidates(new Uint8Array(600).fill(byte)).filter(
        (candidate) => candidate >>> 1 >= 255,
      )
      expect(settled).toEqual([])
    }
  })
})
