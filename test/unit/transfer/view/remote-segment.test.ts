import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { layoutOf, PAGE_BYTES, type SegmentName, sealPage } from '../../../../core/format/segment.ts'
import type { Remote } from '../../../../core/remote.ts'
import { RowBuffer } from '../../../../core/store/row-buffer.ts'
import { writeSegment } from '../../../../core/store/segment-writer.ts'
import { segmentKey, segmentPath } from '../../../../core/store/store-layout.ts'
import { sourceOf } from '../../../../core/transfer/objects/source-of.ts'
import { damagedSegment, PageMemory, RemoteSegment } from '../../../../core/transfer/view/remote-segment.ts'
import { createMemoryRemote } from '../../../../remotes/memory.ts'
import { withCounting } from '../../../../remotes/with-counting.ts'
import { chunkRows, numberedDigest, packNamed } from '../../../support/rows.ts'
import { makeTemporaryFolder } from '../../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const ROWS_PER_PACK = 500
const PACKS = 200
const ROWS = ROWS_PER_PACK * PACKS

/** A segment of 100,000 rows, 5 MB, with many names. */
function makeSegment(): { name: SegmentName; bytes: Buffer } {
  const root = makeTemporaryFolder()
  const rows = new RowBuffer()
  for (let pack = 0; pack < PACKS; pack++) {
    const digests = Array.from({ length: ROWS_PER_PACK }, (_, i) => numberedDigest(pack * ROWS_PER_PACK + i))
    rows.addPack(packNamed(pack), chunkRows(digests))
  }
  const superseded = Array.from({ length: 300 }, (_, i) => packNamed(1000 + i) as string as SegmentName)
  const tombstones = [packNamed(5000)]
  const content = { rows: rows.sorted(), mostRows: rows.count, packs: rows.packs, superseded, tombstones }
  const name = writeSegment(root, content)
  return { name, bytes: readFileSync(segmentPath(root, name)) }
}

async function openOn(remote: Remote, { name, bytes }: { name: SegmentName; bytes: Buffer }) {
  await remote.write(segmentKey(name), sourceOf(bytes))
  const file = { name, sizeBytes: bytes.length, modifiedAt: new Date() }
  return RemoteSegment.open({ remote, file, memory: new PageMemory() })
}

describe('RemoteSegment', () => {
  test('finds what there is by a few small reads, and remembers pages', async () => {
    const { remote, counts } = withCounting(createMemoryRemote())
    const segment = await openOn(remote, makeSegment())
    expect(counts.bytesRead).toBe(4 * PAGE_BYTES)
    for (let i = 0; i < ROWS; i += 4999) {
      const before = { ...counts }
      expect(await segment.packsOf('chunk', numberedDigest(i))).toEqual([
        packNamed(Math.floor(i / ROWS_PER_PACK)),
      ])
      expect(counts.read - before.read).toBeLessThanOrEqual(4)
      expect(counts.bytesRead - before.bytesRead).toBeLessThanOrEqual(6 * PAGE_BYTES)
    }
    expect(await segment.packsOf('node', numberedDigest(0))).toEqual([])
    expect(await segment.packsOf('chunk', numberedDigest(ROWS))).toEqual([])
    const { read } = counts
    await segment.packsOf('chunk', numberedDigest(0))
    expect(counts.read).toBe(read)
  })

  test('tells what it supersedes, and what is gone', async () => {
    const segment = await openOn(createMemoryRemote(), makeSegment())
    const { superseded, tombstones } = await segment.header()
    expect(superseded).toEqual(Array.from({ length: 300 }, (_, i) => packNamed(1000 + i)))
    expect(tombstones).toEqual([packNamed(5000)])
  })

  test('that is cut short, or gone, or no segment is refused', async () => {
    const { name, bytes } = makeSegment()
    const remote = createMemoryRemote()
    for (const [wrong, code] of [
      [bytes.subarray(0, -1), 'CORRUPT'],
      [bytes.subarray(0, 100), 'CORRUPT'],
      [Buffer.alloc(0), 'CORRUPT'],
      [bytes.subarray(0, -PAGE_BYTES), 'MALFORMED'],
      [Buffer.alloc(bytes.length), 'CORRUPT'],
    ] as const) {
      expect((await varveErrorFrom(openOn(remote, { name, bytes: wrong }))).code).toBe(code)
    }
    await remote.remove(segmentKey(name))
    const file = { name, sizeBytes: bytes.length, modifiedAt: new Date() }
    const opening = RemoteSegment.open({ remote, file, memory: new PageMemory() })
    expect((await varveErrorFrom(opening)).code).toBe('NOT_FOUND')
  })

  test('with a damaged page is corrupt, and one with an endless bucket malformed', async () => {
    const { name, bytes } = makeSegment()
    const remote = createMemoryRemote()
    const broken = Buffer.from(bytes)
    broken[100]! ^= 1
    const segment = await openOn(remote, { name, bytes: broken })
    // The lowest digest lies on the first page.
    const lowest = Buffer.from(bytes.subarray(0, 32))
    expect((await varveErrorFrom(segment.packsOf('chunk', lowest))).code).toBe('CORRUPT')
    const endless = Buffer.from(bytes)
    const fanout = layoutOf({
      rowCount: ROWS,
      fanoutBits: 11,
      packCount: PACKS,
      supersededCount: 300,
      tombstoneCount: 1,
    }).fanout
    const page = endless.subarray(fanout * PAGE_BYTES, (fanout + 1) * PAGE_BYTES)
    page.writeUInt32LE(ROWS, 0)
    sealPage(page)
    const hostile = await openOn(remote, { name, bytes: endless })
    const error = await varveErrorFrom(hostile.packsOf('chunk', lowest))
    expect(error.code).toBe('MALFORMED')
    const said = damagedSegment(remote, name, error) as Error
    expect(said.message).toContain(segmentKey(name))
  })
})
