import { isUtf8 } from 'node:buffer'

export const POINTER_SUFFIX = '.varve'

/** Git's pattern for every pointer at any depth; with `pathspecs: 'glob'`. */
export const POINTER_PATHSPEC = `*${POINTER_SUFFIX}`

const SUFFIX = Buffer.from(POINTER_SUFFIX)

/**
 * The path, if these bytes name a pointer: `NAME.varve` with a name before the suffix. Varve writes no
 * name that is not UTF-8, so such a file is no pointer.
 */
export function pointerPathFrom(bytes: Buffer): string | undefined {
  if (!bytes.subarray(-SUFFIX.length).equals(SUFFIX) || !isUtf8(bytes)) return undefined
  const path = bytes.toString('utf8')
  return path === POINTER_SUFFIX || path.endsWith(`/${POINTER_SUFFIX}`) ? undefined : path
}
