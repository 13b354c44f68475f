import { constants, openSync, readSync } from 'node:fs'
import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import type { FileStamp } from './file-stamp.ts'

/** `path` is relative to the root; `stamp` is what the scan saw. */
export type FileToRead = { index: number; path: string; stamp: FileStamp }

/** The content of a file, read while `stamp` held from the first byte to the last. */
export type ReadFile = { index: number; digest: Digest; stamp: FileStamp }

/** The same of many files, as it crosses threads: a digest in an array of its own would cost ten times its size. */
export type ReadFiles = { digests: Uint8Array; numbers: Float64Array }

const NUMBERS_EACH = 6

export function packReadFiles(files: readonly ReadFile[]): ReadFiles {
  const digests = new Uint8Array(files.length * DIGEST_BYTES)
  const numbers = new Float64Array(files.length * NUMBERS_EACH)
  for (const [i, { index, digest, stamp }] of files.entries()) {
    digests.set(digest, i * DIGEST_BYTES)
    const { sizeBytes, mtimeMs, ctimeMs, inode, mode } = stamp
    numbers.set([index, sizeBytes, mtimeMs, ctimeMs, inode, mode], i * NUMBERS_EACH)
  }
  return { digests, numbers }
}

export function* unpackReadFiles({ digests, numbers }: ReadFiles): Generator<ReadFile> {
  for (let i = 0; i < digests.length / DIGEST_BYTES; i++) {
    const at = (field: number) => numbers[i * NUMBERS_EACH + field]!
    yield {
      index: at(0),
      digest: digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
      stamp: { sizeBytes: at(1), mtimeMs: at(2), ctimeMs: at(3), inode: at(4), mode: at(5) },
    }
  }
}

export function joinPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`
}

/** Reads until `target` is full or the file ends; gives the bytes read. */
export function readFully(fd: number, target: Uint8Array, position: number): number {
  let done = 0
  while (done < target.length) {
    const count = readSync(fd, target, done, target.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

/** Never through a link, and never waiting for a pipe, that has taken the file's place since it was listed. */
export function openFile(root: string, file: { path: string }): number {
  try {
    return openSync(
      `${root}/${file.path}`,
      constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0),
    )
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') throw changedWhileReading(file)
    if (code === 'EACCES' || code === 'EPERM') {
      throw new VarveError('NO_PERMISSION', `cannot read ${file.path}: permission denied`, {
        hint: 'Check the owner and mode of that file, or name it in .varveignore.',
        cause,
      })
    }
    throw cause
  }
}

/** What a failed read of an open file is: the system's error on a descriptor does not say of which. */
export function failedReading(error: unknown, file: { path: string }): unknown {
  const isDirectoryNow = (error as NodeJS.ErrnoException).code === 'EISDIR'
  return isDirectoryNow ? changedWhileReading(file) : fromSystemError(error, `reading ${file.path}`)
}

export function changedWhileReading(file: { path: string }): VarveError {
  return new VarveError('CHANGED_WHILE_READING', `${file.path} changed or vanished while it was being read`, {
    hint: 'Wait until nothing writes to it, then run the command again.',
  })
}
