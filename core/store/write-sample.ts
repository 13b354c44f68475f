import {
  compareRows,
  copyRow,
  isSampled,
  ROW_BYTES,
  ROW_PACK_INDEX_AT,
  type SegmentName,
} from '../format/segment.ts'
import { PageCache } from './page-cache.ts'
import { SegmentReader } from './segment-reader.ts'
import { writeSegment } from './segment-writer.ts'

/** Of a row of this pack: none was met, one that is in no sample, one that is. */
const NONE = 0
const FIRST = 1
const SAMPLED = 2

/**
 * Writes the sample of a segment below `root`, under the segment's name: a segment itself, of the rows whose digests
 * are sampled, and of each pack that has none of those its first row; so that every pack can be found by one of its ids.
 */
export function writeSample(root: string, of: { path: string; name: SegmentName }): void {
  const segment = new SegmentReader(of.path, of.name, new PageCache())
  try {
    sample(root, segment)
  } finally {
    segment.close()
  }
}

function sample(root: string, segment: SegmentReader): void {
  const packs = segment.packs()
  const states = new Uint8Array(packs.length)
  const firsts = Buffer.alloc(packs.length * ROW_BYTES)
  const sampled = new RowList()
  for (const cursor = segment.cursor(); cursor.next(); ) {
    const { bytes, at } = cursor
    const pack = bytes.readUInt32LE(at + ROW_PACK_INDEX_AT)
    if (isSampled(bytes, at)) {
      sampled.push(bytes, at)
      states[pack] = SAMPLED
    } else if (states[pack] === NONE) {
      copyRow(bytes, at, firsts, pack * ROW_BYTES)
      states[pack] = FIRST
    }
  }
  for (let pack = 0; pack < packs.length; pack++) {
    if (states[pack] === FIRST) sampled.push(firsts, pack * ROW_BYTES)
  }
  writeSegment(root, {
    rows: sampled.sorted(),
    mostRows: sampled.count,
    packs,
    superseded: segment.superseded,
    tombstones: segment.tombstones,
    standsFor: segment.name,
  })
}

/** Rows in one flat buffer that grows. */
class RowList {
  #rows = Buffer.allocUnsafe(1024 * ROW_BYTES)
  #count = 0

  get count(): number {
    return this.#count
  }

  push(source: Buffer, at: number): void {
    if (this.#count * ROW_BYTES === this.#rows.length) {
      const larger = Buffer.allocUnsafe(this.#rows.length * 2)
      this.#rows.copy(larger)
      this.#rows = larger
    }
    copyRow(source, at, this.#rows, this.#count++ * ROW_BYTES)
  }

  *sorted(): Generator<Buffer> {
    const rows = this.#rows
    const order = Uint32Array.from({ length: this.#count }, (_, i) => i * ROW_BYTES)
    order.sort((a, b) => compareRows(rows, a, rows, b))
    for (const at of order) yield rows.subarray(at, at + ROW_BYTES)
  }
}
