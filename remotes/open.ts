import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'

const SUPPORTED = 'This version supports folders: write file:///path/to/folder or a plain path.'

/**
 * Opens the remote that `url` names. A relative path starts at `baseFolder`, the root of the repository.
 * Nothing is read or made: that the place exists shows when it is first used.
 * @throws BAD_CONFIG as `checkRemoteUrl` does.
 */
export async function openRemote(url: string, options: { baseFolder: string }): Promise<Remote> {
  const path = folderOf(url)
  if (isDrivePath(path) && process.platform !== 'win32') {
    throw badUrl(`the remote ${path} is on a Windows drive, which this machine does not have`, {
      hint: 'Set a URL for this clone alone with `varve remote set NAME url URL --local`.',
    })
  }
  const { createFileRemote } = await import('./file.ts')
  return createFileRemote({ folder: resolve(options.baseFolder, path) })
}

/**
 * Checks the form of a remote's URL without opening it.
 * @throws BAD_CONFIG for a scheme that is not supported, a secret in the URL, or what is no URL or path.
 */
export function checkRemoteUrl(url: string): void {
  folderOf(url)
}

/**
 * The absolute path of the folder that `url` names; undefined for what is none on this machine.
 * @throws BAD_CONFIG as `checkRemoteUrl` does.
 */
export function localFolderOf(url: string, options: { baseFolder: string }): string | undefined {
  const path = folderOf(url)
  return isDrivePath(path) && process.platform !== 'win32' ? undefined : resolve(options.baseFolder, path)
}

function folderOf(url: string): string {
  if (url.trim() === '') throw badUrl('the URL of the remote is empty', { hint: SUPPORTED })
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\u0000-\u001f\u007f]/.test(url)) {
    throw badUrl('the URL of the remote holds a control character', { hint: SUPPORTED })
  }
  refuseSecrets(url)
  if (isDrivePath(url)) return url
  const scheme = schemeOf(url)
  if (scheme === 'file') return folderOfFileUrl(url)
  if (scheme !== undefined) {
    throw badUrl(`the scheme "${scheme}:" of the remote is not supported`, {
      hint: `${SUPPORTED} A folder whose name has a colon in it is written ./NAME.`,
    })
  }
  if (/^~/.test(url)) {
    throw badUrl(`the remote ${url} starts with "~", which only a shell expands`, {
      hint: 'Write the whole path, or leave the "~" outside quotes; a folder of that name is written ./~.',
    })
  }
  return url
}

/** Text before a colon is a scheme from two characters on: one letter is a Windows drive. */
function schemeOf(url: string): string | undefined {
  if (/^[^/\\:]+@[^/\\:]+:/.test(url)) return 'ssh'
  return /^([A-Za-z][A-Za-z0-9+.-]+):/.exec(url)?.[1]?.toLowerCase()
}

function isDrivePath(path: string): boolean {
  return /^[A-Za-z]:([\\/]|$)/.test(path)
}

/** No message may repeat the URL here: it holds the secret. A port is no password. */
function refuseSecrets(url: string): void {
  if (/^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/@]*:(?!\d+(\/|$))[^@]*@/.test(url)) {
    throw badUrl('the URL of the remote holds a password, and it would be committed to git', {
      hint: "Take the password out of the URL; use the provider's own credential files or environment.",
    })
  }
}

function folderOfFileUrl(url: string): string {
  const hint = 'Write file:///absolute/path with special characters percent-encoded, or a plain path.'
  const parsed = URL.canParse(url) && /^file:\/\/(localhost)?\//i.test(url) ? new URL(url) : undefined
  if (parsed === undefined) throw badUrl(`not a URL of a folder on this machine: ${url}`, { hint })
  if (/[?#]/.test(url)) throw badUrl(`a URL of a folder has no "?" or "#" part: ${url}`, { hint })
  let path: string
  try {
    path = fileURLToPath(parsed)
  } catch (cause) {
    throw badUrl(`not a URL of a folder on this machine: ${url}`, { hint, cause })
  }
  if (path.includes('\0')) throw badUrl(`a path has no NUL character: ${url}`, { hint })
  return path
}

function badUrl(message: string, options: { hint: string; cause?: unknown }): VarveError {
  return new VarveError('BAD_CONFIG', message, options)
}
