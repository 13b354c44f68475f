import { constants, openSync, readSync } from 'node:fs'
import { DIGEST_BYTES, type Digest } from '../content-id.ts'
import { fromSystemError, VarveError } from '../errors.ts'
import type { FileStamp } from './file-stamp.ts'
import { packStamps, type Stamps, stampAt } from './stamps.ts'

/** `path` is relative to the root; `stamp` is what the scan saw. */
export type FileToRead = { path: string; stamp: FileStamp }

/** The content of a file, read while `stamp` held from the first byte to the last. */
export type ReadFile = { digest: Digest; stamp: FileStamp }

/** Files as they cross threads, where an object each would cost more than the rest. Paths are joined by NUL. */
export type PackedFiles = { paths: string; stamps: Stamps }

/** Which files of a batch were read, by their place in it, and what they are. */
export type ReadFiles = { places: Uint32Array; digests: Uint8Array; stamps: Stamps }

export function packFiles(files: readonly FileToRead[]): PackedFiles {
  return {
    paths: files.map(({ path }) => path).join('\0'),
    stamps: packStamps(files),
  }
}

export function unpackFiles({ paths, stamps }: PackedFiles): FileToRead[] {
  return paths.split('\0').map((path, place) => ({ path, stamp: stampAt(stamps, place) }))
}

export function packReadFiles(files: readonly (ReadFile & { place: number })[]): ReadFiles {
  const digests = new Uint8Array(files.length * DIGEST_BYTES)
  for (const [i, { digest }] of files.entries()) digests.set(digest, i * DIGEST_BYTES)
  return { places: Uint32Array.from(files, ({ place }) => place), digests, stamps: packStamps(files) }
}

export function* unpackReadFiles({
  places,
  digests,
  stamps,
}: ReadFiles): Generator<ReadFile & { place: number }> {
  for (const [i, place] of places.entries()) {
    const digest = digests.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES)
    yield { place, digest, stamp: stampAt(stamps, i) }
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
