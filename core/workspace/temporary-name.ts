import { randomBytes } from 'node:crypto'

/** Files of this prefix in the workspace are Varve's own, unfinished; a scan never takes them for content. */
export const TEMPORARY_PREFIX = '.~varve-'

/** A name for a file that is written beside the one it will replace. */
export function temporaryName(): string {
  return `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}`
}
