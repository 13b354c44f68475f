import type { OnProgress } from '../progress.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { hashTask } from './hash-task.ts'
import { type FileToRead, type ReadFile, unpackReadFiles } from './read-file.ts'
import { threadsFor, workBatches } from './work-batches.ts'

/**
 * Hashes files in worker threads; gives each as it is done.
 * @throws CHANGED_WHILE_READING, NO_PERMISSION
 */
export async function hashFiles(options: {
  workers: Workers
  root: string
  files: readonly FileToRead[]
  onFile: (file: ReadFile) => void
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { workers, root, files, onFile, onProgress, signal } = options
  if (files.length === 0) return
  const bytesTotal = files.reduce((sum, file) => sum + file.stamp.sizeBytes, 0)
  const next = workBatches(files, (file) => file.stamp.sizeBytes)
  let filesDone = 0
  let bytesDone = 0
  await workers.run(
    hashTask,
    { root },
    ({ done }) => {
      throwIfAborted(signal)
      for (const file of unpackReadFiles(done)) {
        onFile(file)
        filesDone++
        bytesDone += file.stamp.sizeBytes
      }
      onProgress?.({ phase: 'hashing', filesDone, filesTotal: files.length, bytesDone, bytesTotal })
      const batch = next()
      return (
        batch && { indexes: batch.map(({ index }) => index), paths: batch.map(({ path }) => path).join('\0') }
      )
    },
    { threads: threadsFor({ files: files.length, bytes: bytesTotal }, workers.threads) },
  )
}
