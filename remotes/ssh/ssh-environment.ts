import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'

/** What of this machine and user decides how a host is reached. */
export type SshEnvironment = {
  homeFolder: string
  userName: string
  /** The socket or named pipe of the agent. */
  agentAddress: string | undefined
  /** Where the administrator's `ssh_config` and `ssh_known_hosts` lie. */
  systemFolder: string
  variables: Readonly<Record<string, string | undefined>>
}

/** The one place where the SSH remote looks at the process's environment. */
export function readSshEnvironment(): SshEnvironment {
  const isWindows = process.platform === 'win32'
  return {
    homeFolder: process.env.HOME || homedir(),
    userName: nameOfUser(),
    agentAddress: process.env.SSH_AUTH_SOCK || (isWindows ? '\\\\.\\pipe\\openssh-ssh-agent' : undefined),
    systemFolder: isWindows ? join(process.env.ProgramData ?? 'C:\\ProgramData', 'ssh') : '/etc/ssh',
    variables: process.env,
  }
}

function nameOfUser(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return process.env.USER ?? process.env.USERNAME ?? 'nobody'
  }
}
