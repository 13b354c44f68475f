import { lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pLimit from 'p-limit'
import { fromSystemError } from '../errors.ts'
import { syncFolder } from '../store/durable.ts'
import { temporaryName } from './temporary-name.ts'

/** A filesystem commits syncs that wait together in one go; more than node's own threads never do. */
const SYNCS_AT_ONCE = 4

/**
 * Puts `text` in place of each file's content, durably, in folders that are there: all are written and synced before
 * the first is renamed into place, and each folder is synced once. Keeps the mode of a file. When writing fails,
 * nothing has changed. `path` is relative to `root`.
 * @throws NO_SPACE, NO_PERMISSION, NOT_FOUND, IO
 */
export async function replaceFiles(
  root: string,
  files: readonly { path: string; text: string }[],
): Promise<void> {
  const limit = pLimit(SYNCS_AT_ONCE)
  const unfinished = new Set<string>()
  try {
    const written = await Promise.allSettled(
      files.map(({ path, text }) =>
        limit(async () => {
          const target = join(root, path)
          const temporary = join(dirname(target), temporaryName())
          unfinished.add(temporary)
          await failingAs(`writing ${path}`, () => writeBeside(target, temporary, text))
          return { path, target, temporary }
        }),
      ),
    )
    const failed = written.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    for (const { path, target, temporary } of written.flatMap((one) =>
      one.status === 'fulfilled' ? one.value : [],
    )) {
      await failingAs(`writing ${path}`, () => rename(temporary, target))
      unfinished.delete(temporary)
    }
  } finally {
    for (const temporary of unfinished) await rm(temporary, { force: true })
  }
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    await failingAs(`writing to ${folder}`, async () => syncFolder(join(root, folder)))
  }
}

async function writeBeside(target: string, temporary: string, text: string): Promise<void> {
  const file = await open(temporary, 'wx', await modeOf(target))
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function modeOf(path: string): Promise<number> {
  try {
    return (await lstat(path)).mode & 0o777
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0o666
    throw error
  }
}

async function failingAs<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw fromSystemError(error, doing)
  }
}
