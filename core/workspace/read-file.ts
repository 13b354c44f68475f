import { constants, openSync, readSync } from 'node:fs'
import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { FileStamp } from './file-stamp.ts'

/** `label` is the path as messages say it; `stamp` is what the scan saw. */
export type FileToRead = { index: number; path: string; label: string; stamp: FileStamp }

/** The content of a file, read while `stamp` held from the first byte to the last. */
export type ReadFile = { index: number; digest: Digest; stamp: FileStamp }

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

/** Never through a link that has taken the file's place since it was listed. */
export function openFile(file: { path: string; label: string }): number {
  try {
    return openSync(file.path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ELOOP') throw changedWhileReading(file)
    if (code === 'EACCES' || code === 'EPERM') {
      throw new VarveError('NO_PERMISSION', `cannot read ${file.label}: permission denied`, {
        hint: 'Check the owner and mode of that file, or name it in .varveignore.',
        cause,
      })
    }
    throw cause
  }
}

export function changedWhileReading(file: { label: string }): VarveError {
  return new VarveError(
    'CHANGED_WHILE_READING',
    `${file.label} changed or vanished while it was being read`,
    {
      hint: 'Wait until nothing writes to it, then run the command again.',
    },
  )
}
