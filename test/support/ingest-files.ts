import { join } from 'node:path'
import { FileIngest, type FileIngestOptions, type FilesToIngest } from '../../core/workspace/file-ingest.ts'
import { isLarge } from '../../core/workspace/ingest-schedule.ts'
import type { FileToRead } from '../../core/workspace/read-file.ts'
import { scanPath } from '../../core/workspace/scan-path.ts'

export type IndexedFile = FileToRead & { index: number }

/** The files `f0`, `f1` ... of a folder, as they are now. */
export function listNumbered(root: string, count: number): IndexedFile[] {
  return Array.from({ length: count }, (_, index) => {
    const path = `f${index}`
    const file = scanPath({ root, path })
    if (file?.kind !== 'file') throw new Error(`${join(root, path)} is not a file`)
    return { index, path, stamp: file.stamp }
  })
}

export function toIngest<F extends FileToRead>(files: readonly F[]): FilesToIngest<F> {
  return {
    count: files.length,
    sizeBytes: files.reduce((sum, { stamp }) => sum + stamp.sizeBytes, 0),
    small: files.filter((file) => !isLarge(file)),
    large: files.filter(isLarge),
  }
}

/** All files at once. */
export async function ingestFiles(
  files: readonly IndexedFile[],
  options: FileIngestOptions<IndexedFile>,
): Promise<void> {
  const ingest = new FileIngest<IndexedFile>(options)
  ingest.add(toIngest(files))
  await ingest.finish()
}
