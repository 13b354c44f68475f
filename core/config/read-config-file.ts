import { isUtf8 } from 'node:buffer'
import { lstat, readFile } from 'node:fs/promises'
import { fromSystemError, VarveError } from '../errors.ts'

const LIMIT_BYTES = 256 * 1024

/**
 * The text of a config file; undefined when there is none.
 *
 * @throws BAD_CONFIG when it is no regular file, far too large, or not UTF-8, NO_PERMISSION, IO.
 */
export async function readConfigFile(path: string): Promise<string | undefined> {
  try {
    const stat = await lstat(path)
    if (!stat.isFile()) throw new VarveError('BAD_CONFIG', `${path} is not a regular file`)
    if (stat.size > LIMIT_BYTES) throw new VarveError('BAD_CONFIG', `${path} is larger than 256 KiB`)
    const bytes = await readFile(path)
    if (!isUtf8(bytes)) throw new VarveError('BAD_CONFIG', `${path} is not UTF-8`)
    return bytes.toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw fromSystemError(error, `reading ${path}`)
  }
}
