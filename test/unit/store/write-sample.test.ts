import { expect, test } from 'vitest'
import { isSampled, type SegmentName } from '../../../core/format/segment.ts'
import { IndexSet } from '../../../core/store/index-set.ts'
import { RowBuffer } from '../../../core/store/row-buffer.ts'
import { segmentPath } from '../../../core/store/store-layout.ts'
import { writeSample } from '../../../core/store/write-sample.ts'
import { chunkRows, numberedDigest, packNamed } from '../../support/rows.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

const PACKS = 40
const ROWS_PER_PACK = 1000

function digestsOf(pack: number): Buffer[] {
  return Array.from({ length: ROWS_PER_PACK }, (_, i) => numberedDigest(pack * ROWS_PER_PACK + i))
}

test('a sample has one id in 1,024, and at least one of each pack, under the name of its segment', () => {
  const [root, sampleRoot] = [makeTemporaryFolder(), makeTemporaryFolder()]
  const index = new IndexSet(root)
  const rows = new RowBuffer()
  for (let pack = 0; pack < PACKS; pack++) rows.addPack(packNamed(pack), chunkRows(digestsOf(pack)))
  const name: SegmentName = index.write(rows)
  writeSample(sampleRoot, { path: segmentPath(root, name), name })
  const sample = new IndexSet(sampleRoot)
  expect(sample.names).toEqual([name])
  let sampledPacks = 0
  for (let pack = 0; pack < PACKS; pack++) {
    const found = digestsOf(pack).filter((digest) => sample.has('chunk', digest))
    const wanted = digestsOf(pack).filter((digest) => isSampled(digest))
    if (wanted.length > 0) sampledPacks++
    const [first] = digestsOf(pack).sort((a, b) => Buffer.compare(a, b))
    expect(found).toEqual(wanted.length > 0 ? wanted : [first])
    for (const digest of found) {
      expect(sample.find('chunk', digest)).toEqual(index.find('chunk', digest))
    }
  }
  // Both kinds of packs were there to be tried.
  expect(sampledPacks).toBeGreaterThan(0)
  expect(sampledPacks).toBeLessThan(PACKS)
  index.close()
  sample.close()
})

test('a sample of nothing is empty, and says what its segment supersedes', () => {
  const [root, sampleRoot] = [makeTemporaryFolder(), makeTemporaryFolder()]
  const index = new IndexSet(root)
  const names = [0, 1].map((i) => {
    const rows = new RowBuffer()
    rows.addPack(packNamed(i), chunkRows([numberedDigest(i)]))
    return index.write(rows)
  })
  const merged = index.merge(root, { names, isListed: () => true })
  for (const name of [names[0]!, merged]) writeSample(sampleRoot, { path: segmentPath(root, name), name })
  const sample = new IndexSet(sampleRoot)
  expect(sample.names).toEqual([merged])
  index.close()
  sample.close()
})
