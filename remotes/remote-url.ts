import { fileURLToPath } from 'node:url'
import { VarveError } from '../core/errors.ts'
import { checkSshPlace, type SshPlace } from './ssh/ssh-place.ts'

/** Where a remote is, by kind. `url` is safe to print. */
export type RemoteUrl =
  /** `path` as it was written: it may be relative, or one of Windows. */
  | { kind: 'folder'; path: string }
  /** `prefix` has no slash at either end. */
  | { kind: 's3'; url: string; bucket: string; prefix: string }
  | ({ kind: 'ssh' } & SshPlace)
  /** `url` has no slash at its end. */
  | { kind: 'http'; url: string }

const SUPPORTED =
  'Use s3://bucket/prefix, ssh://user@host/path, https://host/path (to read), file:///path/to/folder or a plain path.'

/**
 * Reads a remote's URL. Nothing is opened.
 * @throws BAD_CONFIG for a scheme that is not supported, a secret in the URL, or what is no URL or path.
 */
export function parseRemoteUrl(url: string): RemoteUrl {
  if (url.trim() === '') throw badUrl('the URL of the remote is empty', { hint: SUPPORTED })
  if (/\p{Cc}/u.test(url)) {
    throw badUrl('the URL of the remote holds a control character', { hint: SUPPORTED })
  }
  refuseSecrets(url)
  refuseForgottenColon(url)
  if (isDrivePath(url)) return { kind: 'folder', path: url }
  const scpLike = /^([^/\\:]+@(?:\[[^\]/]*\]|[^/\\:[\]]+)):(.*)$/.exec(url)
  if (scpLike !== null) return sshPlace(url, scpLike[1]!, scpLike[2]!.replace(/^(?=[^/~])/, '~/'))
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(url)?.[1]?.toLowerCase()
  switch (scheme) {
    case undefined:
      return { kind: 'folder', path: plainPath(url) }
    case 'file':
      return { kind: 'folder', path: folderOfFileUrl(url) }
    case 's3':
      return s3Place(url)
    case 'ssh':
    case 'sftp':
      return sshUrl(url)
    case 'http':
    case 'https':
      return httpPlace(url)
    default:
      throw badUrl(`the scheme "${scheme}:" of the remote is not supported`, {
        hint: `${SUPPORTED}${onServer(url)} A folder whose name has a colon in it is written ./NAME.`,
      })
  }
}

/** One letter before a colon is no scheme. */
export function isDrivePath(path: string): boolean {
  return /^[A-Za-z]:([\\/]|$)/.test(path)
}

/** No message may repeat the URL here: it holds the secret. A port is no password. Slashes may have been forgotten. */
function refuseSecrets(url: string): void {
  if (/^[A-Za-z][A-Za-z0-9+.-]+:[/\\]*[^/\\@]*:(?!\d+(\/|$))[^@]*@/.test(url)) {
    throw badUrl('the URL of the remote holds a password, and it would be stored in a config file', {
      hint: "Take the password out of the URL; use the provider's own credential files or environment.",
    })
  }
}

/** A path relative to here, by its letters. No message may repeat the URL: a password in it was not seen as one. */
function refuseForgottenColon(url: string): void {
  const scheme = /^(s3|ssh|sftp|https?|file)\/\//i.exec(url)?.[1]
  if (scheme === undefined) return
  throw badUrl(`the URL of the remote lacks the colon after "${scheme}"`, {
    hint: `Did you mean ${scheme}://…? A folder of that name is written ./${scheme}/….`,
  })
}

/** How to write what scp, but no URL, calls `host:path`; nothing where the text may hold a secret. */
function onServer(url: string): string {
  const [, host, path] = /^([A-Za-z0-9][A-Za-z0-9._-]*):(?!\/\/)([^@?#\\]+)$/.exec(url) ?? []
  if (host === undefined || path === undefined) return ''
  const absolute = encodeURI(path.replace(/^(?=[^/~])/, '~/').replace(/^(?=~)/, '/'))
  return ` A folder on the server ${host} is written ssh://${host}${absolute}.`
}

function plainPath(path: string): string {
  if (path.startsWith('~')) {
    throw badUrl(`the remote ${path} starts with "~", which only a shell expands`, {
      hint: 'Write the whole path, or leave the "~" outside quotes; a folder of that name is written ./~.',
    })
  }
  return path
}

function folderOfFileUrl(url: string): string {
  const hint = 'Write file:///absolute/path with special characters percent-encoded, or a plain path.'
  const parsed = URL.canParse(url) && /^file:\/\/(localhost)?\//i.test(url) ? new URL(url) : undefined
  if (parsed === undefined) throw badUrl(`not a URL of a folder on this machine: ${url}`, { hint })
  if (/[?#]/.test(url))
    throw badUrl(`a URL of a folder has no "?" or "#" part: ${withoutQuery(url)}`, { hint })
  let path: string
  try {
    path = fileURLToPath(parsed)
  } catch (cause) {
    throw badUrl(`not a URL of a folder on this machine: ${url}`, { hint, cause })
  }
  if (path.includes('\0')) throw badUrl(`a path has no NUL character: ${url}`, { hint })
  return path
}

function s3Place(url: string): RemoteUrl {
  const hint = 'Write s3://bucket/prefix; a service that is not Amazon is named by the setting endpointUrl.'
  const [bucket = '', ...segments] = url.replace(/^s3:\/*/i, '').split('/')
  if (!/^s3:\/\//i.test(url) || !/^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/.test(bucket)) {
    throw badUrl(`not a URL of a bucket: ${withoutQuery(url)}`, { hint })
  }
  const prefix = segments.join('/').replace(/^\/+|\/+$/g, '')
  const isPlain = prefix === '' || prefix.split('/').every((name) => !/^\.{0,2}$/.test(name))
  if (!isPlain || /[?#\\]/.test(prefix))
    throw badUrl(`not a prefix in a bucket: ${withoutQuery(url)}`, { hint })
  return { kind: 's3', url: `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`, bucket, prefix }
}

function sshUrl(url: string): RemoteUrl {
  const [, authority = '', path = ''] = /^[a-z]+:\/\/([^/]*)(\/.*)?$/i.exec(url) ?? []
  if (/[?#]/.test(path))
    throw badUrl(`an ssh URL has no "?" or "#" part: ${withoutQuery(url)}`, { hint: SSH_HINT })
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch (cause) {
    throw badUrl(`not a URL of a folder on a server: ${url}`, { hint: SSH_HINT, cause })
  }
  return sshPlace(url, authority, decoded.replace(/^\/(?=~\/)/, ''))
}

const SSH_HINT =
  'Write ssh://user@host/absolute/path or ssh://user@host/~/path; special characters are percent-encoded.'

/** A host or user that begins with a dash could be taken for an option by a program that is given it. */
function sshPlace(url: string, authority: string, path: string): RemoteUrl {
  const [, user, bracketed, plain, port] =
    /^(?:([A-Za-z0-9_][A-Za-z0-9._+@-]*)@)?(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._-]+)?)\]|([A-Za-z0-9_][A-Za-z0-9._-]*))(?::(\d{1,5}))?$/.exec(
      authority,
    ) ?? []
  // In a URL, the percent sign before a zone is itself percent-encoded.
  const host = bracketed?.replace('%25', '%') ?? plain
  const isPort = port === undefined || (Number(port) > 0 && Number(port) < 65536)
  if (host === undefined || !isPort) {
    throw badUrl(`not a user and host of a server: ${JSON.stringify(authority)}`, { hint: SSH_HINT })
  }
  if (/^\/*$/.test(path) || path === '~/') {
    throw badUrl(`no folder on the server is named: ${url}`, { hint: SSH_HINT })
  }
  const place = { url, user, host, port: port === undefined ? undefined : Number(port), path }
  checkSshPlace(place)
  return { kind: 'ssh', ...place }
}

function httpPlace(url: string): RemoteUrl {
  const hint = "Write https://host/path to the mirror's folder, without a user, query or fragment."
  const parsed = URL.canParse(url) && /^https?:\/\/[^/\\]/i.test(url) ? new URL(url) : undefined
  if (parsed === undefined || parsed.hostname.startsWith('-')) {
    throw badUrl(`not a URL of a web server: ${JSON.stringify(withoutQuery(url))}`, { hint })
  }
  if (parsed.username !== '' || parsed.password !== '' || /[?#]/.test(url)) {
    throw badUrl(`a remote's web address has no user, "?" or "#" part: ${parsed.origin}`, { hint })
  }
  return { kind: 'http', url: parsed.href.replace(/\/+$/, '') }
}

/** What follows may be a token. */
function withoutQuery(url: string): string {
  return url.replace(/([?#]).*$/, '$1…')
}

function badUrl(message: string, options: { hint: string; cause?: unknown }): VarveError {
  return new VarveError('BAD_CONFIG', message, options)
}
