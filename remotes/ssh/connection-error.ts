import { VarveError } from '../../core/errors.ts'
import { systemCode } from '../file/file-remote-error.ts'
import type { Identities } from './identities.ts'
import type { SshSettings } from './ssh-settings.ts'

/** ssh2 marks by a level what part of it an error comes from. */
export type SshLibraryError = Error & { level?: string }

/** Why a host could not be reached. `error` is of the socket or of ssh2, before a login was tried. */
export function connectionError(error: unknown, settings: SshSettings): VarveError {
  if (error instanceof VarveError) return error
  const at = `${settings.hostName} port ${settings.port}`
  const code = systemCode(error)
  switch (code) {
    case 'ENOTFOUND':
      return unreachable(`no host is called ${settings.hostName}`, {
        hint: `Check the name, and whether \`ssh ${settings.sshArguments}\` finds it.`,
        cause: error,
      })
    case 'ECONNREFUSED':
      return unreachable(`${at} refuses connections`, {
        hint: 'Check the port, and that an SSH server runs there.',
        cause: error,
      })
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
    case 'ENETUNREACH':
    case 'ENETDOWN':
    case 'EADDRNOTAVAIL':
    case 'ETIMEDOUT':
      return unreachable(`${at} cannot be reached (${code})`, {
        hint: 'Check the network, and run the command again.',
        cause: error,
      })
  }
  const message = error instanceof Error ? error.message : String(error)
  if (/^timed out/i.test(message)) {
    return unreachable(`${at} did not answer within ${settings.connectTimeoutMs / 1000} seconds`, {
      hint: 'Check the network; a slow server needs a longer ConnectTimeout in ~/.ssh/config.',
      cause: error,
    })
  }
  if (/no matching/i.test(message)) {
    return failed(`${at} and Varve have no algorithm in common: ${firstLine(message)}`, {
      hint: "Ask the server's administrator for current algorithms, such as those of OpenSSH 8 and later.",
      cause: error,
    })
  }
  return failed(`the connection to ${at} ended before a login: ${firstLine(message)}`, {
    hint: 'Run the command again; if it stays so, check that an SSH server answers there.',
    retryable: true,
    cause: error,
  })
}

/** No key was taken. `methods` is what the server would take. */
export function loginError(options: {
  settings: SshSettings
  identities: Identities
  methods: readonly string[]
  cause: unknown
}): VarveError {
  const { settings, identities, methods, cause } = options
  const who = `${settings.user}@${settings.hostName} port ${settings.port}`
  const [encrypted] = identities.encrypted
  const [exposed] = identities.exposed
  const tried =
    identities.tried.length > 0 ? `tried ${identities.tried.join(', ')}` : 'there was no key to try'
  if (exposed !== undefined) {
    return failed(`no login as ${who}: ${tried}; ${exposed} was not used, for others may read it`, {
      hint: `Run \`chmod 600 ${exposed}\` and run the command again.`,
      cause,
    })
  }
  if (encrypted !== undefined) {
    return failed(`no login as ${who}: ${tried}; ${encrypted} has a passphrase, and no agent holds it`, {
      hint: `Run \`ssh-add ${encrypted}\` and run the command again.`,
      cause,
    })
  }
  const takes = methods.length > 0 && !methods.includes('publickey')
  return failed(
    `no login as ${who}: ${tried}${takes ? `; the server takes only ${firstLine(methods.join(', '))}` : ''}`,
    {
      hint: takes
        ? 'Varve never asks for a password: set up a key for that user on the server.'
        : `Check that \`ssh ${settings.sshArguments}\` logs in without asking, and load the key with \`ssh-add\`.`,
      cause,
    },
  )
}

function failed(
  message: string,
  options: { hint: string; retryable?: boolean; cause?: unknown },
): VarveError {
  return new VarveError('REMOTE_FAILED', message, options)
}

/** It may be down for a moment; whoever tries again knows whether it was ever there. */
function unreachable(message: string, options: { hint: string; cause: unknown }): VarveError {
  return new VarveError('REMOTE_UNREACHABLE', message, { ...options, retryable: true })
}

/** What a server says is shown cut and without control characters. */
export function firstLine(text: string): string {
  return text
    .split(/[\r\n]/)[0]!
    .replace(/\p{Cc}/gu, '')
    .slice(0, 200)
}
