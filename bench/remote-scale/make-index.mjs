import fs from 'node:fs'
import path from 'node:path'
import { loadModules } from './modules.mjs'

const DIGEST_BYTES = 32
/** Of chunks of 57 KiB a pack of 64 MiB has so many. */
export const ROWS_PER_PACK = 1150

function scramble(number) {
  let bits = number ^ (number >>> 16)
  bits = Math.imul(bits, 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return bits ^ (bits >>> 16)
}

/** The digest of id `number`: the same each time, and spread as a hash's. */
function writeDigest(target, number) {
  for (let i = 0; i < DIGEST_BYTES / 4; i++) {
    const word = scramble(number + Math.imul(i, 0x9e3779b1)) ^ scramble(Math.imul(number, 0x27d4eb2f) + i)
    target.writeInt32LE(word, i * 4)
  }
}

/**
 * How many rows the segments have that many years of pushes leave: as many of 256 MiB as it takes, and seven each of
 * the classes below, which are not merged yet.
 */
export function segmentRows(rowCount, bytesPerRow) {
  const small = [16e3, 128e3, 1e6, 8e6].flatMap((bytes) => Array(7).fill(Math.round(bytes / bytesPerRow)))
  const mostRows = Math.floor((250 << 20) / bytesPerRow)
  const left = rowCount - small.reduce((sum, rows) => sum + rows, 0)
  const count = Math.max(1, Math.ceil(left / mostRows))
  return [...Array.from({ length: count }, () => Math.round(left / count)), ...small]
}

/** Writes segments and samples of made-up chunks into a remote's folder, with the store's own code. */
export async function makeIndex({ folder, rowCount }) {
  const { IndexSet, RowBuffer, ROW_BYTES, writeRow, writeSample, segmentKey, sampleKey, segmentPath } =
    await loadModules()
  const scratch = path.join(folder, '../scratch')
  const samples = path.join(folder, '../scratch-samples')
  const totals = { segments: 0, segmentBytes: 0, sampleBytes: 0, rows: 0 }
  const digest = Buffer.alloc(DIGEST_BYTES)
  const publish = (from, key) => {
    const target = path.join(folder, key)
    fs.mkdirSync(path.dirname(target), { recursive: true })
    fs.renameSync(from, target)
    return fs.statSync(target).size
  }
  let next = 0
  for (const rows of segmentRows(rowCount, 50.6)) {
    const buffer = new RowBuffer()
    const end = next + rows
    while (next < end) {
      const count = Math.min(ROWS_PER_PACK, end - next)
      const bytes = Buffer.allocUnsafe(count * ROW_BYTES)
      for (let i = 0; i < count; i++) {
        writeDigest(digest, next++)
        const sizes = { storedBytes: 57_000, rawBytes: 57_000 }
        const place = { kind: 'chunk', codec: 'raw', packIndex: 0, offset: 16 + i * 57_000 }
        writeRow(bytes, i * ROW_BYTES, digest, { ...place, ...sizes })
      }
      writeDigest(digest, (0xf000_0000 + next) >>> 0)
      buffer.addPack(digest.toString('hex'), bytes)
    }
    const index = new IndexSet(scratch)
    const name = index.write(buffer)
    index.close()
    writeSample(samples, { path: segmentPath(scratch, name), name })
    totals.segments++
    totals.rows += rows
    const sampleBytes = publish(segmentPath(samples, name), sampleKey(name))
    const segmentBytes = publish(segmentPath(scratch, name), segmentKey(name))
    totals.segmentBytes += segmentBytes
    // Those that are always fetched whole have none.
    if (segmentBytes >= 256 << 10) totals.sampleBytes += sampleBytes
    else fs.rmSync(path.join(folder, sampleKey(name)))
  }
  for (const scratchFolder of [scratch, samples]) fs.rmSync(scratchFolder, { recursive: true, force: true })
  return totals
}
