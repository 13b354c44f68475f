import { closeSync, fstatSync } from 'node:fs'
import { ContentHasher, type Digest, digestOf } from '../content-id.ts'
import type { Task } from '../workers/workers.ts'
import { sameStamp, stampOf } from './file-stamp.ts'
import {
  changedWhileReading,
  failedReading,
  openFile,
  packReadFiles,
  type ReadFile,
  type ReadFiles,
  readFully,
} from './read-file.ts'

/** Files as they cross threads. Their paths, relative to the root, are joined by NUL. */
export type FilesToHash = { indexes: number[]; paths: string }

/** More files, please; these are done. The answer is `undefined` when there are no more. */
export type HashQuestion = { done: ReadFiles }

const BUFFER_BYTES = 1 << 20

/** Hashes files of the workspace, each read once, to learn what changed where stamps cannot tell. */
export const hashTask: Task<{ root: string }, HashQuestion, FilesToHash | undefined, void> = {
  name: 'hash',
  async run({ root }, ask) {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    let done = packReadFiles([])
    for (;;) {
      const files = await ask({ done })
      if (files === undefined) return
      const paths = files.paths.split('\0')
      const hash = (index: number, at: number) => hashFile(root, { index, path: paths[at]! }, buffer)
      done = packReadFiles(files.indexes.map(hash))
    }
  },
}

function hashFile(root: string, file: { index: number; path: string }, buffer: Buffer): ReadFile {
  const fd = openFile(root, file)
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      const before = stampOf(fstatSync(fd))
      const digest = hashContent(fd, before.sizeBytes, buffer)
      const stamp = stampOf(fstatSync(fd))
      if (sameStamp(before, stamp)) return { index: file.index, digest, stamp }
    }
    throw changedWhileReading(file)
  } catch (error) {
    throw failedReading(error, file)
  } finally {
    closeSync(fd)
  }
}

/** A small file is not asked for more than its size: had it grown meanwhile, its stamp would tell. */
function hashContent(fd: number, sizeBytes: number, buffer: Buffer): Digest {
  const first = readFully(fd, buffer.subarray(0, sizeBytes), 0)
  if (first < buffer.length) return digestOf(buffer.subarray(0, first))
  const hasher = new ContentHasher()
  hasher.update(buffer)
  for (let position = first; ; ) {
    const count = readFully(fd, buffer, position)
    hasher.update(buffer.subarray(0, count))
    if (count < buffer.length) return hasher.digest()
    position += count
  }
}
