import type { OnProgress } from '../progress.ts'
import type { StoreWriter } from '../store/store-writer.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { IngestSchedule, isLarge } from './ingest-schedule.ts'
import { type IngestQuestion, ingestTask } from './ingest-task.ts'
import type { ScannedFile } from './list-directory.ts'
import { type FileToRead, joinPath, type ReadFile } from './read-file.ts'
import { threadsFor } from './work-batches.ts'

/** A file as it was listed, and its directory relative to the root. Its path is made when its turn comes. */
export type ListedFile = { file: ScannedFile; directory: string }

/**
 * Reads files into the store in worker threads. `writer` says which chunks are new; nothing may lean on them
 * before its `finish`.
 * @throws CHANGED_WHILE_READING, NO_PERMISSION, NO_SPACE
 */
export async function ingestFiles(options: {
  workers: Workers
  /** Of the workspace. */
  root: string
  storeRoot: string
  writer: StoreWriter
  files: readonly ListedFile[]
  onFile: (file: ReadFile) => void
  onProgress?: OnProgress | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { workers, root, storeRoot, writer, files, onFile, onProgress, signal } = options
  if (files.length === 0) return
  const bytesTotal = files.reduce((sum, { file }) => sum + file.stamp.sizeBytes, 0)
  const threads = threadsFor({ files: files.length, bytes: bytesTotal }, workers.threads)
  let filesDone = 0
  let bytesDone = 0
  const report = () =>
    onProgress?.({ phase: 'adding', filesDone, filesTotal: files.length, bytesDone, bytesTotal })
  const schedule = new IngestSchedule({
    small: filesToRead(files, (file) => !isLarge(file)),
    large: filesToRead(files, isLarge),
    threads,
    events: {
      onFile(file) {
        onFile(file)
        filesDone++
        report()
      },
      onNode: (digest, bytes) => writer.addNode(digest, bytes),
      onRecipe: (blob, root) => writer.addRecipe(blob, root),
      onBytes(count) {
        bytesDone += count
        report()
      },
    },
  })

  await workers.run(
    ingestTask,
    { root, storeRoot },
    (question: IngestQuestion, thread) => {
      throwIfAborted(signal)
      switch (question.type) {
        case 'next':
          return schedule.next(thread, question.result)
        case 'claim':
          return writer.claimChunks(question.digests)
        case 'recipe':
          for (const node of question.nodes) writer.addNode(node.digest, node.bytes)
          writer.addRecipe(question.blob, question.root)
          return undefined
        case 'sealed':
          writer.addPack(question.pack)
          return undefined
      }
    },
    { threads },
  )
}

function* filesToRead(
  files: readonly ListedFile[],
  isWanted: (file: ScannedFile) => boolean,
): Generator<FileToRead> {
  for (const [index, { file, directory }] of files.entries()) {
    if (isWanted(file)) yield { index, path: joinPath(directory, file.name), stamp: file.stamp }
  }
}
