import { randomBytes } from 'node:crypto'
import { lstat, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fromSystemError, VarveError } from '../errors.ts'

/**
 * Puts `text` in place of a file's content: a reader, and a machine that loses power, see the old text or
 * the new one whole. Keeps the file's mode. Creates the folder it lies in.
 *
 * @throws BAD_CONFIG when `path` is there and is no regular file.
 */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  // Not after the file's own name, which may be as long as a name can be.
  const temporary = join(dirname(path), `.varve-${randomBytes(6).toString('hex')}.tmp`)
  try {
    await mkdir(dirname(path), { recursive: true })
    const mode = await modeOf(path)
    const file = await open(temporary, 'wx', mode)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw fromSystemError(error, `writing ${path}`)
  }
  await syncFolder(dirname(path))
}

async function modeOf(path: string): Promise<number> {
  const stat = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (stat === undefined) return 0o666
  if (!stat.isFile()) throw new VarveError('BAD_CONFIG', `${path} is not a regular file`)
  return stat.mode & 0o777
}

/** Some platforms cannot open a folder, or sync it; the rename is made all the same. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
