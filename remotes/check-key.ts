import { VarveError } from '../core/errors.ts'
import type { Key } from '../core/remote.ts'

/** The longest key that S3 takes, and the longest file name that common filesystems take. */
const MAX_KEY_LENGTH = 1024
const MAX_SEGMENT_LENGTH = 255

const HINT = 'Do not use this remote until you know who wrote that name.'

/**
 * One name between slashes: letters, digits, `.`, `_` and `-`, not starting with a dot. So a name that
 * starts with a dot is never a key, and a remote may keep things of its own under such names.
 */
export function isKeySegment(name: string): boolean {
  return name.length <= MAX_SEGMENT_LENGTH && /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(name)
}

/** Whether it is a key, and no name of something else that lies in the same place. */
export function isKey(name: string): boolean {
  return name.length <= MAX_KEY_LENGTH && name.split('/').every(isKeySegment)
}

/** @throws HOSTILE when `key` could reach outside the remote or does not fit every kind of remote. */
export function checkKey(key: Key): void {
  if (!isKey(key)) {
    throw new VarveError('HOSTILE', `not a key of a remote: ${quoted(key)}`, { hint: HINT })
  }
}

/** A prefix is a key cut anywhere, or nothing. @throws HOSTILE when no key can start with `prefix`. */
export function checkPrefix(prefix: string): void {
  const segments = prefix.split('/')
  const last = segments.pop()
  if (prefix.length > MAX_KEY_LENGTH || ![...segments, last || 'x'].every(isKeySegment)) {
    throw new VarveError('HOSTILE', `not a prefix of keys: ${quoted(prefix)}`, { hint: HINT })
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}
