import { VarveError } from '../../core/errors.ts'

/**
 * Where an SSH remote lies. `url` is safe to print. `path` is absolute, or `~` or starts with `~/` where it is
 * meant from the folder that a login begins in.
 */
export type SshPlace = {
  url: string
  user: string | undefined
  host: string
  port: number | undefined
  path: string
}

const HOST = /^[A-Za-z0-9_][A-Za-z0-9._-]*$|^[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?$/
const USER = /^[A-Za-z0-9_][A-Za-z0-9._+@-]*$/

/**
 * Host and user may come from a committed config: nothing in them may be taken for an option or reach a shell.
 * @throws BAD_CONFIG
 */
export function checkSshPlace({ url, user, host, port, path }: SshPlace): void {
  if (!HOST.test(host)) {
    throw badPlace(`not the name of a host: ${JSON.stringify(host)}`, 'Write ssh://user@host/path.')
  }
  if (user !== undefined && !USER.test(user)) {
    throw badPlace(`not the name of a user: ${JSON.stringify(user)}`, 'Write ssh://user@host/path.')
  }
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw badPlace(
      `not a port: ${port} in ${url}`,
      'Write ssh://user@host:PORT/path with a port up to 65535.',
    )
  }
  if (!/^(\/|~$|~\/)/.test(path) || /\p{Cc}/u.test(path)) {
    throw badPlace(
      `not a path on the server: ${JSON.stringify(path)}`,
      'Write an absolute path, or one that starts with ~/ for your home folder there.',
    )
  }
}

/** The path as SFTP takes it: a server resolves a relative path from the folder that a login begins in. */
export function serverFolderOf(path: string): string {
  const folder = path.replace(/^~\/*/, '').replace(/(?<=[^/])\/+$/, '')
  return path.startsWith('~') ? folder || '.' : folder
}

/** What a user would type after `ssh` to reach the place. */
export function sshArgumentsOf({ user, host, port }: Pick<SshPlace, 'user' | 'host' | 'port'>): string {
  return `${port === undefined ? '' : `-p ${port} `}${user === undefined ? '' : `${user}@`}${host}`
}

function badPlace(message: string, hint: string): VarveError {
  return new VarveError('BAD_CONFIG', message, { hint })
}
