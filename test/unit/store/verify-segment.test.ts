import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { digestOf, hexOf } from '../../../core/content-id.ts'
import type { SegmentName } from '../../../core/format/segment.ts'
import { verifySegment } from '../../../core/store/verify-segment.ts'
import { flip } from '../../support/damage.ts'
import { readGolden } from '../../support/golden.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const golden = readGolden('segment/v1/rows.idx')
const nameOf = (bytes: Buffer) => hexOf(digestOf(bytes)) as SegmentName

test('takes the bytes of the name, and no others', () => {
  const path = join(makeTemporaryFolder(), 'segment')
  writeFileSync(path, golden)
  expect(() => verifySegment(path, nameOf(golden))).not.toThrow()
  for (const at of [0, 5000, golden.length - 1]) {
    writeFileSync(path, flip(golden, at))
    expect(varveErrorOf(() => verifySegment(path, nameOf(golden))).code).toBe('CORRUPT')
  }
})

test('refuses what is no segment, under whatever name', () => {
  const path = join(makeTemporaryFolder(), 'segment')
  for (const bytes of [Buffer.alloc(0), Buffer.from('x'), Buffer.alloc(4096), golden.subarray(0, 4096)]) {
    writeFileSync(path, bytes)
    expect(['CORRUPT', 'MALFORMED']).toContain(varveErrorOf(() => verifySegment(path, nameOf(bytes))).code)
  }
})
