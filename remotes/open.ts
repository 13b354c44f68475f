import { resolve } from 'node:path'
import { VarveError } from '../core/errors.ts'
import type { Remote } from '../core/remote.ts'
import { isDrivePath, parseRemoteUrl } from './remote-url.ts'

export type RemoteToOpen = {
  url: string
  /** What the config says of it beside the URL; `remote-settings.ts` tells which belong to which kind. */
  settings: ReadonlyMap<string, string>
  /** Where a relative path starts: the root of the repository. */
  baseFolder: string
  /** Whether the user has trusted the host, so that one over HTTP may be given credentials. */
  mayAuthenticate: boolean
  /** What the user calls it, for hints. */
  name?: string
}

/**
 * Opens a remote. Nothing is read or made: that the place exists shows when it is first used.
 * @throws BAD_CONFIG as `parseRemoteUrl` does, and for a setting that its kind cannot have
 */
export async function openRemote(remote: RemoteToOpen): Promise<Remote> {
  const place = parseRemoteUrl(remote.url)
  switch (place.kind) {
    case 'folder': {
      const { createFileRemote } = await import('./file.ts')
      return createFileRemote({ folder: folderHere(place.path, remote) })
    }
    case 's3': {
      const [{ createS3Remote }, { parseS3Settings }] = await Promise.all([
        import('./s3.ts'),
        import('./s3/s3-settings.ts'),
      ])
      return createS3Remote(place, parseS3Settings(remote.settings), { name: remote.name })
    }
    case 'ssh': {
      const { createSshRemote } = await import('./ssh.ts')
      return createSshRemote(place)
    }
    case 'http': {
      const { createHttpRemote } = await import('./http.ts')
      return createHttpRemote({ url: place.url, mayAuthenticate: remote.mayAuthenticate })
    }
  }
}

/**
 * The absolute path of the folder that `url` names; undefined for what is none on this machine.
 * @throws BAD_CONFIG as `parseRemoteUrl` does
 */
export function localFolderOf(url: string, options: { baseFolder: string }): string | undefined {
  const place = parseRemoteUrl(url)
  if (place.kind !== 'folder' || isElsewhere(place.path)) return undefined
  return resolve(options.baseFolder, place.path)
}

function folderHere(path: string, { baseFolder, name = 'NAME' }: RemoteToOpen): string {
  if (!isElsewhere(path)) return resolve(baseFolder, path)
  throw new VarveError(
    'BAD_CONFIG',
    `the remote ${path} is on a Windows drive, which this machine does not have`,
    { hint: `Set a URL for this clone alone with \`varve remote set ${name} url URL --local\`.` },
  )
}

function isElsewhere(path: string): boolean {
  return isDrivePath(path) && process.platform !== 'win32'
}
