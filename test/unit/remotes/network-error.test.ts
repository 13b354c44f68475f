import { describe, expect, test } from 'vitest'
import { networkError, unanswered } from '../../../remotes/network-error.ts'

const WHERE = 'ssh://host'
const DOING = 'reading key'

function systemError(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code}: as the system says`), { code, ...more })
}

const tell = (error: unknown) => networkError(error, WHERE, DOING)

describe('where nothing was reached', () => {
  test.each([
    ['ENOTFOUND', 'there is no host of that name, or no network'],
    ['EAI_AGAIN', 'its name cannot be looked up now: is there a network?'],
    ['ECONNREFUSED', 'nothing listens there'],
    ['EHOSTUNREACH', 'there is no way to that host'],
    ['EHOSTDOWN', 'there is no way to that host'],
    ['ENETUNREACH', 'there is no network'],
    ['ENETDOWN', 'there is no network'],
    ['EADDRNOTAVAIL', 'there is no network'],
  ])('%s is REMOTE_UNREACHABLE: %s', (code, why) => {
    const cause = systemError(code)
    expect(tell(cause)).toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: `ssh://host cannot be reached while reading key: ${why}`,
      hint: 'Check the network and the address, and run the command again: what was done is kept.',
      retryable: true,
      cause,
    })
  })

  test('a time-out is that of the connection, or of what came later', () => {
    expect(tell(systemError('ETIMEDOUT', { syscall: 'connect' }))?.code).toBe('REMOTE_UNREACHABLE')
    expect(tell(systemError('ETIMEDOUT', { syscall: 'read' }))?.code).toBe('REMOTE_FAILED')
    const cause = new Error('15 s')
    expect(unanswered({ where: WHERE, doing: DOING, cause })).toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: 'ssh://host cannot be reached while reading key: it does not answer',
      cause,
    })
  })
})

test.each([
  ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ECONNABORTED', 'ERR_STREAM_PREMATURE_CLOSE', 'EPROTO'],
  ...['HPE_INVALID_CONSTANT', 'HPE_INVALID_EOF_STATE', 'ABORT_ERR'],
])('%s is a connection that broke, and may not break again', (code) => {
  expect(tell(systemError(code))).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `the connection to ssh://host broke while reading key (${code})`,
    retryable: true,
  })
})

test.each([
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  'ERR_TLS_CERT_ALTNAME_INVALID',
])('%s is a certificate that stays as it is', (code) => {
  expect(tell(systemError(code))).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `ssh://host shows a certificate that is not trusted here (${code})`,
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
    retryable: false,
  })
})

test('TLS spoken to a server without it stays as it is', () => {
  const error = Object.assign(new Error('write EPROTO: wrong version number'), { code: 'EPROTO' })
  expect(tell(error)).toMatchObject({ message: 'ssh://host does not speak TLS', retryable: false })
})

test('the code is looked for in causes, and in the first of many', () => {
  const refused = systemError('ECONNREFUSED')
  const fetchFailed = new TypeError('fetch failed', { cause: refused })
  expect(tell(fetchFailed)).toMatchObject({ code: 'REMOTE_UNREACHABLE', cause: fetchFailed })
  const both = new AggregateError([refused, systemError('ENETUNREACH')])
  expect(tell(both)?.message).toContain('nothing listens there')
})

test('an error of another sort is not told of', () => {
  const circular = new Error('round')
  circular.cause = circular
  const others = [
    new Error('x'),
    systemError('ENOENT'),
    circular,
    undefined,
    'ECONNRESET',
    new AggregateError([]),
  ]
  for (const error of others) expect(tell(error)).toBeUndefined()
})
