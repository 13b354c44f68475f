import { isAbsolute, relative, resolve, sep } from 'node:path'
import { isDrivePath, parseRemoteUrl } from './remote-url.ts'

/**
 * A remote's URL as the config is to hold it. A relative path that a user means from `from` is written from `to`, the
 * root of the repository, so that it leads to the same folder from any place in it and from clones that lie alike;
 * where `keep` is `absolute` it becomes an absolute path. All else stays as it is.
 * @throws BAD_CONFIG as `parseRemoteUrl` does.
 */
export function rebaseUrl(
  url: string,
  options: { from: string; to: string; keep: 'relative' | 'absolute' },
): string {
  const place = parseRemoteUrl(url)
  const isRelative = place.kind === 'folder' && place.path === url && !isAbsolute(url) && !isDrivePath(url)
  if (!isRelative) return url
  const folder = resolve(options.from, url)
  if (options.keep === 'absolute') return folder
  const path = relative(options.to, folder).split(sep).join('/')
  // Another drive of Windows.
  if (isAbsolute(path)) return path
  // Led by a dot, no name in it can be taken for a scheme, a drive or a home folder.
  return path === '' ? '.' : /^\.\.(\/|$)/.test(path) ? path : `./${path}`
}
