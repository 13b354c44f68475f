import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fromSystemError } from '../../core/errors.ts'
import { type Credentials, findCredentials, parseNetrc } from './netrc.ts'

/**
 * What the user's `$NETRC`, or else `~/.netrc`, has for a host; undefined where there is no such file or entry.
 * @throws BAD_CONFIG, NO_PERMISSION
 */
export async function readNetrc(
  hostname: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Credentials | undefined> {
  const path = environment.NETRC || join(environment.HOME || homedir(), '.netrc')
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw fromSystemError(error, `reading ${path}`)
  }
  return findCredentials(parseNetrc(text, path), hostname)
}
