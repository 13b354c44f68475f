import { lstatSync } from 'node:fs'
import { join, posix } from 'node:path'
import { VarveError } from '../errors.ts'
import { stampOf } from './file-stamp.ts'
import type { ScannedDirectory } from './scan-directory.ts'
import { scanPath } from './scan-path.ts'
import type { StatCache } from './stat-cache.ts'

/**
 * Lets the stat cache follow a rename, so that not all must be read again. Call it before the rename and what it
 * gives after. What cannot be followed is only read again later.
 */
export function keepStamps(options: {
  root: string
  cache: StatCache
  from: string
  to: string
}): () => void {
  const { root, cache, from, to } = options
  const before = lstatSync(join(root, from))
  if (before.isDirectory()) {
    return () => {
      const scanned = scanQuietly(root, to)
      if (scanned !== undefined) keepDirectory(cache, scanned, { from, to })
      cache.flush()
    }
  }
  const directory = posix.dirname(from)
  const stats = cache.lookup(directory === '.' ? '' : directory)
  const known = stats.get(posix.basename(from), stampOf(before))
  const digest = known && Buffer.from(known)
  return () => {
    cache.forget(from)
    const after = lstatSync(join(root, to), { throwIfNoEntry: false })
    if (after === undefined) return
    const stamp = stampOf(after)
    // A rename gives a file a new ctime, and changes nothing else.
    const wasWritten =
      stamp.mtimeMs !== before.mtimeMs || stamp.sizeBytes !== before.size || stamp.inode !== before.ino
    if (digest !== undefined && !wasWritten) cache.record(to, stamp, digest)
    cache.flush()
  }
}

/** Files keep their stamps when a directory above them is renamed. */
function keepDirectory(
  cache: StatCache,
  scanned: ScannedDirectory,
  { from, to }: { from: string; to: string },
): void {
  const stats = cache.lookup(from)
  for (const { name, stamp } of scanned.files()) {
    const digest = stats.get(name, stamp)
    if (digest !== undefined) cache.record(`${to}/${name}`, stamp, Buffer.from(digest))
    cache.forget(`${from}/${name}`)
  }
  for (const child of scanned.directories) {
    keepDirectory(cache, child, { from: `${from}/${child.name}`, to: `${to}/${child.name}` })
  }
}

/** Undefined also for a directory with something in it that no version can hold: the next command will say so. */
function scanQuietly(root: string, path: string): ScannedDirectory | undefined {
  try {
    const scanned = scanPath({ root, path })
    return scanned?.kind === 'dir' ? scanned : undefined
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
}
