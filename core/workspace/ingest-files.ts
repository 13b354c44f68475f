import type { OnProgress } from '../progress.ts'
import type { StoreWriter } from '../store/store-writer.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { type IngestQuestion, ingestTask } from './ingest-task.ts'
import { type FileToRead, joinPath, type ReadFile, unpackReadFiles } from './read-file.ts'
import type { ScannedFile } from './scan-directory.ts'
import { threadsFor, workBatches } from './work-batches.ts'

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
  const next = workBatches(filesToRead(files), (file) => file.stamp.sizeBytes)
  let filesDone = 0
  let bytesDone = 0
  /** Bytes of large files under way, which `done` will count again. */
  let bytesUnderWay = 0

  const report = () => {
    const bytes = Math.min(bytesTotal, Math.max(bytesDone, bytesUnderWay))
    onProgress?.({ phase: 'adding', filesDone, filesTotal: files.length, bytesDone: bytes, bytesTotal })
  }

  await workers.run(
    ingestTask,
    { root, storeRoot },
    (question: IngestQuestion) => {
      throwIfAborted(signal)
      switch (question.type) {
        case 'claim':
          return writer.claimChunks(question.digests)
        case 'recipe':
          for (const node of question.nodes) writer.addNode(node.digest, node.bytes)
          if (question.blob !== undefined) writer.addRecipe(question.blob.digest, question.blob.root)
          return undefined
        case 'sealed':
          writer.addPack(question.pack)
          return undefined
        case 'progress':
          bytesUnderWay += question.bytes
          report()
          return undefined
        case 'next':
          for (const file of unpackReadFiles(question.done)) {
            onFile(file)
            filesDone++
            bytesDone += file.stamp.sizeBytes
          }
          bytesUnderWay = Math.max(bytesUnderWay, bytesDone)
          report()
          return next()
      }
    },
    { threads: threadsFor({ files: files.length, bytes: bytesTotal }, workers.threads) },
  )
}

function* filesToRead(files: readonly ListedFile[]): Generator<FileToRead> {
  for (const [index, { file, directory }] of files.entries()) {
    yield { index, path: joinPath(directory, file.name), stamp: file.stamp }
  }
}
