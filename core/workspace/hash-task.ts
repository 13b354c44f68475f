import { closeSync, fstatSync } from 'node:fs'
import { ContentHasher, type Digest, digestOf } from '../content-id.ts'
import type { Task } from '../workers/workers.ts'
import { sameStamp, stampOf } from './file-stamp.ts'
import {
  changedWhileReading,
  type FileToRead,
  failedReading,
  openFile,
  type PackedFiles,
  packReadFiles,
  type ReadFile,
  type ReadFiles,
  readFully,
  unpackFiles,
} from './read-file.ts'

/** More files, please; these are done. The answer is `undefined` when there are no more. */
export type HashQuestion = { done: ReadFiles }

const BUFFER_BYTES = 1 << 20

/** Hashes files of the workspace, each read once, to learn what changed where stamps cannot tell. */
export const hashTask: Task<{ root: string }, HashQuestion, PackedFiles | undefined, void> = {
  name: 'hash',
  async run({ root }, ask) {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES)
    let done = packReadFiles([])
    for (;;) {
      const files = await ask({ done })
      if (files === undefined) return
      done = packReadFiles(
        unpackFiles(files).map((file, place) => ({ place, ...hashFile(root, file, buffer) })),
      )
    }
  },
}

function hashFile(root: string, file: FileToRead, buffer: Buffer): ReadFile {
  const fd = openFile(root, file)
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      const before = stampOf(fstatSync(fd))
      const digest = hashContent(fd, before.sizeBytes, buffer)
      const stamp = stampOf(fstatSync(fd))
      if (sameStamp(before, stamp)) return { digest, stamp }
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
