import { describe, expect, test } from 'vitest'
import { VarveError } from '../../../../core/errors.ts'
import { connectionError, firstLine, loginError } from '../../../../remotes/ssh/connection-error.ts'
import type { Identities } from '../../../../remotes/ssh/identities.ts'
import type { SshSettings } from '../../../../remotes/ssh/ssh-settings.ts'

const settings: SshSettings = {
  sshArguments: 'me@box',
  hostName: 'box.example.org',
  port: 22,
  user: 'me',
  hostKeyAlias: undefined,
  knownHostsFiles: [],
  acceptsUnknownHosts: false,
  identityFiles: [],
  isIdentitiesOnly: false,
  agentAddress: undefined,
  connectTimeoutMs: 20_000,
  aliveIntervalMs: 15_000,
  aliveCountMax: 3,
  jumps: [],
}

const systemError = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

describe('a host that cannot be reached', () => {
  test.each([
    [systemError('ENOTFOUND'), 'no host is called box.example.org'],
    [systemError('ECONNREFUSED'), 'box.example.org port 22 refuses connections'],
    [systemError('EAI_AGAIN'), 'box.example.org port 22 cannot be reached (EAI_AGAIN)'],
    [systemError('ENETUNREACH'), 'box.example.org port 22 cannot be reached (ENETUNREACH)'],
    [
      new Error('Timed out while waiting for handshake'),
      'box.example.org port 22 did not answer within 20 seconds',
    ],
  ])('%s', (error, message) => {
    const mapped = connectionError(error, settings)
    expect(mapped).toMatchObject({ code: 'REMOTE_UNREACHABLE', retryable: true, message, cause: error })
    expect(mapped.hint).toBeDefined()
  })
})

describe('a connection that is of no use', () => {
  test.each([
    [
      systemError('ECONNRESET'),
      true,
      'the connection to box.example.org port 22 ended before a login: connect ECONNRESET',
    ],
    [
      new Error('Handshake failed: no matching key exchange algorithm'),
      false,
      'box.example.org port 22 and Varve have no algorithm in common: ' +
        'Handshake failed: no matching key exchange algorithm',
    ],
    [
      new Error('Exceeded\u001b[31m MaxStartups\r\nmore'),
      true,
      'the connection to box.example.org port 22 ended before a login: Exceeded[31m MaxStartups',
    ],
  ])('%s', (error, retryable, message) => {
    const mapped = connectionError(error, settings)
    expect(mapped).toMatchObject({ code: 'REMOTE_FAILED', retryable, message, cause: error })
    expect(mapped.hint).toBeDefined()
  })

  test('what is told already stays as it is', () => {
    const error = new VarveError('BAD_CONFIG', 'x')
    expect(connectionError(error, settings)).toBe(error)
  })
})

describe('a login that is refused', () => {
  const messageOf = (identities: Partial<Identities>, methods: string[] = []) =>
    loginError({
      settings,
      identities: { attempts: [], tried: [], encrypted: [], exposed: [], ...identities },
      methods,
      cause: new Error('x'),
    })

  test('tells who and what was tried', () => {
    expect(messageOf({ tried: ['the agent (2 keys)', '/k'] }, ['publickey', 'password'])).toMatchObject({
      message: 'no login as me@box.example.org port 22: tried the agent (2 keys), /k',
      hint: expect.stringContaining('`ssh me@box` logs in'),
    })
  })

  test('tells that a server takes no keys', () => {
    expect(messageOf({ tried: ['/k'] }, ['password', 'keyboard-interactive'])).toMatchObject({
      message: expect.stringContaining('the server takes only password, keyboard-interactive'),
      hint: expect.stringContaining('never asks for a password'),
    })
  })
})

test('what a server says is cut to one short line', () => {
  expect(firstLine(`${'x'.repeat(500)}`)).toHaveLength(200)
  expect(firstLine('a\u0007b\nc')).toBe('ab')
})
