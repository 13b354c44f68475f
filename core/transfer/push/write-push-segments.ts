import { Readable } from 'node:stream'
import type { SegmentName } from '../../format/segment.ts'
import { RowBuffer } from '../../store/row-buffer.ts'
import { sampleKey, segmentKey } from '../../store/store-layout.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { segmentBytes } from './segment-bytes.ts'
import type { SentPack } from './sent-journal.ts'

/** Rows are sorted in memory: 200 MiB of them, of some 240 GB of data. */
const ROWS_PER_SEGMENT = 4 << 20

type Writing = { isRehearsal?: boolean | undefined; signal?: AbortSignal | undefined }

/** The commit point of a push: from now on every repository on this remote finds these packs. */
export async function writePushSegments(
  view: RemoteView,
  packs: Iterable<SentPack>,
  { isRehearsal, signal }: Writing,
): Promise<void> {
  const write = (rows: RowBuffer) =>
    isRehearsal ? rehearseSegment(view, rows) : view.segments.write(rows, signal)
  let rows = new RowBuffer()
  for (const pack of packs) {
    rows.addPack(pack.name, pack.rows)
    if (rows.count < ROWS_PER_SEGMENT) continue
    await write(rows)
    rows = new RowBuffer()
  }
  if (rows.packs.length > 0) await write(rows)
}

/** Its name tells what it holds, and here it holds nothing: any will do. */
async function rehearseSegment(view: RemoteView, rows: RowBuffer): Promise<void> {
  const name = '0'.repeat(64) as SegmentName
  const pretend = (key: string, sizeBytes: number) =>
    view.remote.write(key, { sizeBytes, open: () => Readable.from([]) })
  const packs = rows.packs.length
  const sizeBytes = segmentBytes({ rows: rows.count, packs })
  if (view.segments.isSampled(sizeBytes)) {
    await pretend(sampleKey(name), segmentBytes({ rows: Math.ceil(rows.count / 1024), packs }))
  }
  await pretend(segmentKey(name), sizeBytes)
}
