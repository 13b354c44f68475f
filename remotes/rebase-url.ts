import { isAbsolute, relative, resolve, sep } from 'node:path'
import { checkRemoteUrl } from './open.ts'

/**
 * A remote's URL as the config is to hold it. A relative path that a user means from `from` is written from `to`, the
 * root of the repository, so that it leads to the same folder from any place in it and from clones that lie alike;
 * where `keep` is `absolute` it becomes an absolute path. All else stays as it is.
 * @throws BAD_CONFIG as `checkRemoteUrl` does.
 */
export function rebaseUrl(
  url: string,
  options: { from: string; to: string; keep: 'relative' | 'absolute' },
): string {
  checkRemoteUrl(url)
  if (!isFolderPath(url) || isAbsolute(url) || isDrivePath(url)) return url
  const folder = resolve(options.from, url)
  if (options.keep === 'absolute') return folder
  const path = relative(options.to, folder).split(sep).join('/')
  // Another drive of Windows.
  if (isAbsolute(path)) return path
  // Led by a dot, no name in it can be taken for a scheme, a drive or a home folder.
  return path === '' ? '.' : /^\.\.(\/|$)/.test(path) ? path : `./${path}`
}

/** Whether this URL, one that `checkRemoteUrl` lets pass, is a path and no `scheme:`. */
function isFolderPath(url: string): boolean {
  return isDrivePath(url) || !(/^[A-Za-z][A-Za-z0-9+.-]+:/.test(url) || /^[^/\\:]+@[^/\\:]+:/.test(url))
}

function isDrivePath(path: string): boolean {
  return /^[A-Za-z]:([\\/]|$)/.test(path)
}
