import type { OnProgress } from '../progress.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { hashTask } from './hash-task.ts'
import { type FileToRead, packFiles, type ReadFile, unpackReadFiles } from './read-file.ts'
import { threadsFor, WorkBatches } from './work-batches.ts'

/**
 * Hashes files in worker threads; gives each as it is done.
 * @throws CHANGED_WHILE_READING, NO_PERMISSION
 */
export async function hashFiles<F extends FileToRead>(options: {
  workers: Workers
  root: string
  files: readonly F[]
  onFile: (file: F, read: ReadFile) => void
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { workers, root, files, onFile, onProgress, signal } = options
  if (files.length === 0) return
  const bytesTotal = files.reduce((sum, file) => sum + file.stamp.sizeBytes, 0)
  const batches = new WorkBatches<F>((file) => file.stamp.sizeBytes)
  batches.add(files)
  /** The batch that a thread is reading. */
  const reading = new Map<number, F[]>()
  let filesDone = 0
  let bytesDone = 0
  await workers.run(
    hashTask,
    { root },
    ({ done }, thread) => {
      throwIfAborted(signal)
      for (const read of unpackReadFiles(done)) {
        onFile(reading.get(thread)![read.place]!, read)
        filesDone++
        bytesDone += read.stamp.sizeBytes
      }
      onProgress?.({ phase: 'hashing', filesDone, filesTotal: files.length, bytesDone, bytesTotal })
      const batch = batches.next()
      reading.set(thread, batch ?? [])
      return batch && packFiles(batch)
    },
    { threads: threadsFor({ files: files.length, bytes: bytesTotal }, workers.threads) },
  )
}
