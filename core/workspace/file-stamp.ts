import type { Stats } from 'node:fs'
import type { EntryStamp } from '../format/stat-cache.ts'

/**
 * What the filesystem says of a file without its bytes being read: an equal stamp later means the same content,
 * as far as the stamp was not racy when it was taken (docs/formats/stat-cache.md).
 * Times are doubles in milliseconds, which resolve a quarter of a microsecond: no two writes are that close with
 * a stat between them, and `fs.Stats` with bigints costs about twice the time.
 */
export type FileStamp = EntryStamp

export function stampOf(stats: Stats): FileStamp {
  return {
    sizeBytes: stats.size,
    mtimeMs: stats.mtimeMs,
    ctimeMs: stats.ctimeMs,
    inode: stats.ino,
    mode: stats.mode,
  }
}

export function sameStamp(a: FileStamp, b: FileStamp): boolean {
  return (
    a.sizeBytes === b.sizeBytes &&
    a.mtimeMs === b.mtimeMs &&
    a.ctimeMs === b.ctimeMs &&
    a.inode === b.inode &&
    a.mode === b.mode
  )
}
