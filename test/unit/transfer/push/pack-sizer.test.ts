import { expect, test } from 'vitest'
import { digestOf } from '../../../../core/content-id.ts'
import { PackWriter, type SealedPack } from '../../../../core/store/pack-writer.ts'
import { PackSizer } from '../../../../core/transfer/push/pack-sizer.ts'
import { noise } from '../../../support/build-store.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'

test('packs have the sizes that a writer gives them', () => {
  const written: SealedPack[] = []
  const sized: SealedPack[] = []
  const root = makeTemporaryFolder()
  const writer = new PackWriter({ root, class: 'metadata', onSealed: (pack) => written.push(pack) })
  const sizer = new PackSizer({ class: 'metadata', onSealed: (pack) => sized.push(pack) })
  // Three packs and a bit; and thousands of small entries, whose table counts.
  const lengths = [...Array.from({ length: 100 }, (_, i) => 200_000 + i), ...Array(100_000).fill(60)]
  for (const [i, length] of lengths.entries()) {
    const stored = noise(length, i)
    const entry = { kind: 'chunk', codec: 'raw', digest: digestOf(stored), rawBytes: length } as const
    writer.appendStored({ ...entry, checksum: 0n }, stored)
    sizer.take({ storedBytes: length })
  }
  writer.seal()
  sizer.seal()
  sizer.seal()
  const sizesOf = (packs: SealedPack[]) =>
    packs.map(({ sizeBytes, tailBytes, rows }) => [sizeBytes, tailBytes, rows.length])
  expect(sized.length).toBeGreaterThan(3)
  expect(sizesOf(sized)).toEqual(sizesOf(written))
  expect(new Set(sized.map(({ name }) => name)).size).toBe(sized.length)
})
