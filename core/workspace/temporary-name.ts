import { randomBytes } from 'node:crypto'

/** Files of this prefix in the workspace are Varve's own, unfinished; a scan never takes them for content. */
export const TEMPORARY_PREFIX = '.~varve-'

/** Random once for each thread: asking the system for random bytes costs as much as a rename. */
const unique = randomBytes(8).toString('hex')
let count = 0

/** A name for a file that is written beside the one it will replace. */
export function temporaryName(): string {
  return `${TEMPORARY_PREFIX}${unique}-${(count++).toString(36)}`
}
