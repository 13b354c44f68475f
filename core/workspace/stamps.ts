import type { FileStamp } from './file-stamp.ts'

/** Stamps end to end, five numbers each: an object would take 100 bytes. */
export type Stamps = Float64Array<ArrayBuffer>

const NUMBERS_EACH = 5

export function makeStamps(count: number): Stamps {
  return new Float64Array(NUMBERS_EACH * count)
}

export function packStamps(files: readonly { stamp: FileStamp }[]): Stamps {
  const stamps = makeStamps(files.length)
  for (const [index, { stamp }] of files.entries()) putStamp(stamps, index, stamp)
  return stamps
}

export function putStamp(stamps: Stamps, index: number, stamp: FileStamp): void {
  const at = NUMBERS_EACH * index
  stamps[at] = stamp.sizeBytes
  stamps[at + 1] = stamp.mtimeMs
  stamps[at + 2] = stamp.ctimeMs
  stamps[at + 3] = stamp.inode
  stamps[at + 4] = stamp.mode
}

export function stampAt(stamps: Stamps, index: number): FileStamp {
  const at = NUMBERS_EACH * index
  return {
    sizeBytes: stamps[at]!,
    mtimeMs: stamps[at + 1]!,
    ctimeMs: stamps[at + 2]!,
    inode: stamps[at + 3]!,
    mode: stamps[at + 4]!,
  }
}

export function sizeBytesAt(stamps: Stamps, index: number): number {
  return stamps[NUMBERS_EACH * index]!
}

export function countStamps(stamps: Stamps): number {
  return stamps.length / NUMBERS_EACH
}

/** Its first ones, in memory of their own. */
export function firstStamps(stamps: Stamps, count: number): Stamps {
  return count === countStamps(stamps) ? stamps : stamps.slice(0, NUMBERS_EACH * count)
}
