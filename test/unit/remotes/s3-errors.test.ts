import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createOutput } from '../../../cli/render/output.ts'
import { reportError } from '../../../cli/report-error.ts'
import type { Remote } from '../../../core/remote.ts'
import { s3Error } from '../../../remotes/s3/s3-error.ts'
import { createS3Remote } from '../../../remotes/s3.ts'
import { withRetry } from '../../../remotes/with-retry.ts'
import { entriesOf, readBytes, sourceOf } from '../../contract/sources.ts'
import { openS3 } from '../../support/open-s3.ts'
import { type S3Server, startS3Server } from '../../support/s3-server.ts'
import { setAwsEnvironment } from '../../support/stub-aws-environment.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const CREDENTIALS =
  'Give credentials in one of the ways that the AWS tools read: a profile (`varve remote set NAME profile P`, or AWS_PROFILE), `aws sso login`, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.'
const NEW_TOKEN = 'Log in again (`aws sso login`), or get a new session token.'
const FROM_VARIABLES = '; the keys came from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
const PERMISSIONS =
  'Ask the owner of the bucket for s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket below that prefix, or use another profile.'
const NETWORK = 'Check the network and the address, and run the command again: what was done is kept.'

/** As the server writes it: no XML. */
const NGINX_404 =
  '<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n'

const verbs: [verb: string, act: (remote: Remote) => Promise<unknown>, doing: string][] = [
  ['stat', (remote) => remote.stat('key'), 'looking for key'],
  ['read', (remote) => readBytes(remote, 'key'), 'reading key'],
  ['write', (remote) => remote.write('key', sourceOf('value')), 'writing key'],
  ['create', (remote) => remote.write('key', sourceOf('value'), { ifAbsent: true }), 'writing key'],
  ['list', (remote) => entriesOf(remote, ''), 'listing all'],
  ['remove', (remote) => remote.remove('key'), 'removing key'],
]

let server: S3Server
let skewed: S3Server
beforeAll(async () => {
  server = await startS3Server({ region: 'eu-west-3', expiredSessionToken: 'was-good-yesterday' })
  const inAnHour = () => new Date(Date.now() + 3600 * 1000)
  skewed = await startS3Server({ region: 'eu-west-3', now: inAnHour })
})
afterAll(async () => {
  await server.close()
  await skewed.close()
})
beforeEach(() => setAwsEnvironment(server.credentials))
afterEach(() => {
  server.denied.clear()
  vi.unstubAllEnvs()
})

function where(endpointUrl = server.url, bucket = server.bucket): string {
  return `s3://${bucket}/place (at ${endpointUrl})`
}

describe.each(verbs)('%s tells in one line', (verb, act, doing) => {
  test('that the secret key is wrong', async () => {
    setAwsEnvironment({ ...server.credentials, secretAccessKey: 'mistyped' })
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: the secret key does not belong to the access key (or not to this place)${FROM_VARIABLES}`,
      hint: CREDENTIALS,
      retryable: false,
    })
  })

  test('that the access key is unknown', async () => {
    setAwsEnvironment({ ...server.credentials, accessKeyId: 'AKIANOBODY' })
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: the access key is not known there${FROM_VARIABLES}`,
      hint: CREDENTIALS,
      retryable: false,
    })
  })

  test('that there are no credentials', async () => {
    setAwsEnvironment(undefined)
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: no credentials were found`,
      hint: CREDENTIALS,
      retryable: false,
    })
  })

  test('that the profile has none', async () => {
    setAwsEnvironment(undefined)
    expect(await varveErrorFrom(act(await openS3(server, { profile: 'photos' })))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: no credentials were found for the profile photos`,
      hint: CREDENTIALS,
    })
  })

  test('that a profile hides the keys of the environment, and which', async () => {
    expect(await varveErrorFrom(act(await openS3(server, { profile: 'photos' })))).toMatchObject({
      message: `${where()}: no credentials were found for the profile photos`,
      hint: 'Set up that profile, or run `varve remote set NAME profile --unset`: it stands before AWS_ACCESS_KEY_ID, which is set.',
    })
    vi.stubEnv('AWS_PROFILE', 'nope')
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: no credentials were found for the profile nope, which AWS_PROFILE names`,
      hint: 'Set up that profile, or unset AWS_PROFILE: it stands before AWS_ACCESS_KEY_ID, which is set.',
    })
  })

  test('that the session token has expired', async () => {
    setAwsEnvironment({ ...server.credentials, sessionToken: 'was-good-yesterday' })
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: the session token has expired${FROM_VARIABLES}`,
      hint: NEW_TOKEN,
      retryable: false,
    })
  })

  test('that the session token is none', async () => {
    setAwsEnvironment({ ...server.credentials, sessionToken: 'made-up' })
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: the session token is not valid there${FROM_VARIABLES}`,
      hint: NEW_TOKEN,
      retryable: false,
    })
  })

  test('that the region is wrong, and which is right', async () => {
    expect(await varveErrorFrom(act(await openS3(server, { region: 'us-east-1' })))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where()}: the bucket is in another region than the one that was asked`,
      hint: "Set the bucket's own: `varve remote set NAME region eu-west-3`.",
      retryable: false,
    })
  })

  test('that the clock is wrong', async () => {
    setAwsEnvironment(skewed.credentials)
    expect(await varveErrorFrom(act(await openS3(skewed)))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where(skewed.url)}: this machine's clock differs too much from the server's`,
      hint: 'Set the clock (for example `timedatectl set-ntp true`), and run the command again.',
      retryable: false,
    })
  })

  test('that it is not allowed', async () => {
    for (const operation of ['GetObject', 'PutObject', 'DeleteObject', 'ListObjectsV2'] as const) {
      server.denied.add(operation)
    }
    // S3 has no permission of that name: it is the one to read.
    server.denied.add('HeadObject')
    expect(await varveErrorFrom(act(await openS3(server)))).toMatchObject({
      code: 'NO_PERMISSION',
      message: `${where()}: not allowed, ${doing}`,
      hint: PERMISSIONS,
      retryable: false,
    })
  })

  test('that there is no such bucket', async () => {
    const acting = act(await openS3(server, { bucket: 'no-such-bucket' }))
    if (verb === 'stat') {
      // The answer to a HEAD tells a missing bucket from a missing key by nothing.
      expect(await acting).toBeUndefined()
      return
    }
    expect(await varveErrorFrom(acting)).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where(server.url, 'no-such-bucket')}: there is no such bucket`,
      hint: 'Check the name with `varve remote list`; make the bucket if it is new.',
      retryable: false,
    })
  })

  test('that nothing listens', async () => {
    const endpointUrl = `http://127.0.0.1:${await closedPort()}`
    expect(await varveErrorFrom(act(await openS3(server, { endpointUrl })))).toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: `${where(endpointUrl)} cannot be reached while ${doing}: nothing listens there`,
      hint: NETWORK,
      retryable: true,
    })
  })

  test('that there is no such host', async () => {
    const endpointUrl = 'http://no-such-host.invalid'
    const error = await varveErrorFrom(act(await openS3(server, { endpointUrl })))
    expect(error).toMatchObject({ code: 'REMOTE_UNREACHABLE', hint: NETWORK, retryable: true })
    // Without a network, a name cannot be looked up, and that it does not exist cannot be known.
    expect(error.message).toMatch(
      /^s3:\/\/test-bucket\/place \(at http:\/\/no-such-host\.invalid\) cannot be reached while \w+ .+: (there is no host of that name, or no network|its name cannot be looked up now: is there a network\?)$/,
    )
  })

  test('that the service does not speak TLS', async () => {
    const endpointUrl = server.url.replace('http:', 'https:')
    expect(await varveErrorFrom(act(await openS3(server, { endpointUrl })))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where(endpointUrl)} does not speak TLS`,
      retryable: false,
    })
  })
})

test('keys that a profile gave are told by its name', async () => {
  const folder = makeTemporaryFolder()
  writeFileSync(
    join(folder, 'credentials'),
    '[work]\naws_access_key_id = AKIANOBODY\naws_secret_access_key = hunter2\n',
  )
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(folder, 'credentials'))
  const message = `${where()}: the access key is not known there; the keys came from the profile work`
  const [, reading] = verbs[1]!
  expect(await varveErrorFrom(reading(await openS3(server, { profile: 'work' })))).toMatchObject({ message })
  vi.stubEnv('AWS_PROFILE', 'work')
  expect(await varveErrorFrom(reading(await openS3(server)))).toMatchObject({ message })
})

test('hints call the remote as the user does', async () => {
  const { url, bucket, region } = server
  const remote = await createS3Remote(
    { url: `s3://${bucket}/place`, bucket, prefix: 'place' },
    { endpointUrl: url, region, forcePathStyle: true, storageClass: 'NO_SUCH_CLASS' as 'STANDARD' },
    { name: 'origin' },
  )
  expect(await varveErrorFrom(remote.write('key', sourceOf('x')))).toMatchObject({
    hint: 'Take it out: `varve remote set origin storageClass --unset`.',
  })
})

test('that a region is missing is told where the service is Amazon itself', async () => {
  const remote = await createS3Remote(
    { url: 's3://bucket/place', bucket: 'bucket', prefix: 'place' },
    { forcePathStyle: false },
  )
  expect(await varveErrorFrom(remote.stat('key'))).toMatchObject({
    code: 'BAD_CONFIG',
    message: 's3://bucket/place: no region is set',
    hint: 'Set it with `varve remote set NAME region REGION`, or AWS_REGION.',
  })
})

test('a storage class that the service does not know is told', async () => {
  const remote = await openS3(server, { storageClass: 'NO_SUCH_CLASS' as 'STANDARD' })
  expect(await varveErrorFrom(remote.write('key', sourceOf('x')))).toMatchObject({
    code: 'REMOTE_FAILED',
    message: `${where()}: the service has no such storage class`,
    hint: 'Take it out: `varve remote set NAME storageClass --unset`.',
  })
})

test('without a network a request is made three times and no more', async () => {
  const endpointUrl = `http://127.0.0.1:${await closedPort()}`
  for (const [, act] of verbs) {
    let retries = 0
    const onRetry = () => void retries++
    const remote = withRetry(await openS3(server, { endpointUrl }), { random: () => 0, onRetry })
    await expect(act(remote)).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' })
    expect(retries).toBe(2)
  }
})

describe('what a service answers', () => {
  let stub: Server
  let answer: { status: number; body: string; headers?: Record<string, string> }
  let requests: number
  beforeAll(async () => {
    stub = createServer((request, response) => {
      requests++
      if (answer.body.startsWith('<html>')) response.setHeader('content-type', 'text/html')
      for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
      response.statusCode = answer.status
      response.end(request.method === 'HEAD' ? undefined : answer.body)
    })
    await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve))
  })
  beforeEach(() => {
    requests = 0
  })
  afterAll(() => {
    stub.closeAllConnections()
    stub.close()
  })

  const xml = (code: string, message = 'as it is') =>
    `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  const openStub = () => openS3(server, { endpointUrl: urlOf(stub) })

  test.each([
    [503, xml('SlowDown')],
    [503, xml('ServiceUnavailable')],
    [503, '<html>503</html>'],
    [429, ''],
    [400, xml('RequestLimitExceeded')],
  ])('%i %s is REMOTE_BUSY', async (status, body) => {
    answer = { status, body }
    for (const [, act, doing] of verbs) {
      // Without a body, a 400 says nothing.
      if (status === 400 && doing.startsWith('looking')) continue
      expect(await varveErrorFrom(act(await openStub()))).toMatchObject({
        code: 'REMOTE_BUSY',
        message: `${where(urlOf(stub))} asks for fewer requests, while ${doing}`,
        retryable: true,
      })
    }
    expect(requests).toBeLessThan(8)
  })

  test.each([
    [500, xml('InternalError'), '500 InternalError'],
    [502, '<html>bad gateway</html>', '502 '],
    [504, '', '504 '],
    [400, xml('RequestTimeout'), '400 RequestTimeout'],
    [409, xml('ConditionalRequestConflict'), '409 ConditionalRequestConflict'],
    [404, xml('NoSuchUpload'), '404 NoSuchUpload'],
  ])('%i %s may pass', async (status, body, told) => {
    answer = { status, body }
    const error = await varveErrorFrom((await openStub()).write('key', sourceOf('value')))
    expect(error).toMatchObject({ code: 'REMOTE_FAILED', retryable: true })
    expect(error.message).toContain(`answers ${told}`)
    expect(error.hint).toBe('Run the command again later: it goes on where it was.')
    expect(requests).toBe(1)
  })

  test.each([
    [400, xml('InvalidRequest', 'no\nsuch\u0085 thing'), '400 InvalidRequest'],
    [501, xml('NotImplemented', 'no such  thing'), '501 NotImplemented'],
    [405, xml('MethodNotAllowed', 'no such thing'), '405 MethodNotAllowed'],
  ])('%i %s stays, and the hint has its words in one line', async (status, body, told) => {
    answer = { status, body }
    const error = await varveErrorFrom((await openStub()).write('key', sourceOf('value')))
    expect(error).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where(urlOf(stub))} answers ${told}, writing key`,
      hint: '`varve remote test` shows what the service cannot do. It says: no such thing',
      retryable: false,
    })
  })

  test('a value in an archive is named', async () => {
    answer = { status: 403, body: xml('InvalidObjectState') }
    expect(await varveErrorFrom((await openStub()).read('packs/ab/x'))).toMatchObject({
      code: 'REMOTE_FAILED',
      message: `${where(urlOf(stub))}: the object is archived, and must be restored before it can be read, reading packs/ab/x`,
    })
  })

  test.each([
    [404, NGINX_404],
    [404, '<html>not well-formed<br></html>'],
    [404, 'page not found'],
    [403, '<html>no</html>'],
    [405, '<html>no</html>'],
    [302, ''],
  ])('%i %s is not the answer of an S3 service', async (status, body) => {
    answer = { status, body }
    for (const [, act, doing] of verbs) {
      // To a HEAD, a 404 says that there is no such value, whoever says it.
      if (status === 404 && doing.startsWith('looking')) continue
      expect(await varveErrorFrom(act(await openStub()))).toMatchObject({
        code: 'REMOTE_FAILED',
        message: `${where(urlOf(stub))} does not answer like an S3 service (status ${status}), ${doing}`,
        hint: 'Check endpointUrl: `varve remote list -v`.',
        retryable: false,
      })
    }
  })

  test('an empty 404 says of a value that it is not there, and of a bucket that it is none', async () => {
    answer = { status: 404, body: '' }
    expect(await varveErrorFrom((await openStub()).read('key'))).toMatchObject({ code: 'NOT_FOUND' })
    const error = await varveErrorFrom(entriesOf(await openStub(), 'roots/'))
    expect(error).toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining('like an S3 service'),
    })
  })

  test.each(['', '<html><head></head></html>', 'hello'])('a page is no empty listing: "%s"', async (body) => {
    answer = { status: 200, body }
    const error = await varveErrorFrom(entriesOf(await openStub(), ''))
    expect(error).toMatchObject({ code: 'REMOTE_FAILED', retryable: false })
    expect(error.message).toContain('does not answer like an S3 service')
  })

  test('what a service that sends its headers leaves unsaid is still its word', async () => {
    answer = { status: 403, body: '<html>no</html>', headers: { 'x-amz-request-id': '1' } }
    expect(await varveErrorFrom((await openStub()).write('key', sourceOf('x')))).toMatchObject({
      code: 'NO_PERMISSION',
    })
  })

  test('a name that no bucket can have', async () => {
    answer = { status: 400, body: xml('InvalidBucketName') }
    for (const [, act] of verbs) {
      expect(await varveErrorFrom(act(await openStub()))).toMatchObject({
        code: 'REMOTE_FAILED',
        message: `${where(urlOf(stub))}: the name of the bucket is not valid there`,
        hint: expect.stringContaining('3 to 63 lower-case letters'),
      })
    }
  })

  test('a HEAD that is refused without a word is explained by one more request', async () => {
    answer = { status: 403, body: xml('InvalidAccessKeyId') }
    expect(await varveErrorFrom((await openStub()).stat('key'))).toMatchObject({
      message: `${where(urlOf(stub))}: the access key is not known there${FROM_VARIABLES}`,
    })
    expect(requests).toBe(2)
  })

  test('a whole value where a part was asked is no part', async () => {
    answer = { status: 200, body: 'the whole value' }
    const reading = (await openStub()).read('key', { range: { start: 4, endExclusive: 9 } })
    expect(await varveErrorFrom(reading)).toMatchObject({ code: 'REMOTE_FAILED', retryable: false })
  })

  test.each(['', '<NextContinuationToken>same</NextContinuationToken>'])(
    'a listing that does not say how to go on throws: "%s"',
    async (token) => {
      answer = {
        status: 200,
        body: `<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated>${token}<Contents><Key>place/a</Key><Size>1</Size></Contents></ListBucketResult>`,
      }
      const error = await varveErrorFrom(entriesOf(await openStub(), ''))
      expect(error).toMatchObject({ code: 'REMOTE_FAILED', retryable: false })
      expect(error.message).toBe('s3://test-bucket/place does not tell how to go on, listing all')
    },
  )
})

describe('what the SDK throws', () => {
  const context = {
    what: 'reading key',
    place: { url: 's3://bucket', bucket: 'bucket', prefix: '' },
    settings: { forcePathStyle: false },
  }
  const thrown = (name: string, message: string, more: object = {}) =>
    s3Error(Object.assign(new Error(message), { name, ...more }), context)

  test.each([
    ['CredentialsProviderError', 'The SSO session associated with this profile has expired.'],
    ['TokenProviderError', "Token is expired. To refresh this SSO session run 'aws sso login'."],
  ])('%s: an SSO login that is over', (name, message) => {
    expect(thrown(name, message)).toMatchObject({
      code: 'REMOTE_FAILED',
      message: 's3://bucket: the login has expired',
      hint: NEW_TOKEN,
      retryable: false,
    })
  })

  test('a connection that does not come about is REMOTE_UNREACHABLE', () => {
    const message =
      'the request socket did not establish a connection with the server within the configured timeout of 15000 ms.'
    expect(thrown('TimeoutError', message)).toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: 's3://bucket cannot be reached while reading key: it does not answer',
      retryable: true,
    })
  })

  test('without endpointUrl, a host that is not reached may not be meant', () => {
    const error = thrown('Error', 'getaddrinfo ENOTFOUND s3.eu-west-3.amazonaws.com', { code: 'ENOTFOUND' })
    expect(error).toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      hint: "Check the network; where the service is not Amazon's, run `varve remote set NAME endpointUrl URL`.",
      retryable: true,
    })
  })

  test('a connection on which nothing moves may move the next time', () => {
    const message = 'the request socket timed out after 60000 ms of inactivity'
    expect(thrown('TimeoutError', message)).toMatchObject({
      code: 'REMOTE_FAILED',
      message: 's3://bucket: nothing has moved for long while reading key',
      retryable: true,
    })
  })

  test('bytes with another checksum are CORRUPT, and may arrive well the next time', () => {
    const message = 'Checksum mismatch: expected "AAAA" but received "BBBB" in response header'
    expect(thrown('Error', message)).toMatchObject({
      code: 'CORRUPT',
      message: 's3://bucket: the bytes arrived damaged, reading key',
      retryable: true,
    })
  })

  test('a line end in a credential is told without the credential', () => {
    const error = thrown('TypeError', 'Invalid character in header content ["x-amz-security-token"]', {
      code: 'ERR_INVALID_CHAR',
    })
    expect(error).toMatchObject({ code: 'REMOTE_FAILED', message: expect.stringContaining('a line end') })
  })

  test('a bug stays one', () => {
    const bug = new TypeError('x is not a function')
    expect(s3Error(bug, context)).toBe(bug)
  })
})

describe('no secret is told', () => {
  const credentials = {
    accessKeyId: 'AKIAVARVETEST',
    secretAccessKey: 'hunter2/of+the+key',
    sessionToken: 'hunter2-of-the-token',
  }
  let strict: S3Server
  let late: S3Server
  beforeAll(async () => {
    strict = await startS3Server(credentials)
    late = await startS3Server({ ...credentials, now: () => new Date(0) })
  })
  afterAll(async () => {
    await strict.close()
    await late.close()
  })

  const situations: [name: string, stubs: Partial<typeof credentials>, open: () => Promise<Remote>][] = [
    ['a wrong secret key', { secretAccessKey: 'hunter2' }, () => openS3(strict)],
    ['a wrong token', { sessionToken: 'hunter2' }, () => openS3(strict)],
    ['a line end in the token', { sessionToken: 'hunter2\n' }, () => openS3(strict)],
    ['a wrong clock', {}, () => openS3(late)],
    ['a wrong region', {}, () => openS3(strict, { region: 'eu-west-3' })],
    ['no such bucket', {}, () => openS3(strict, { bucket: 'no-such-bucket' })],
    ['no network', {}, async () => openS3(strict, { endpointUrl: `http://127.0.0.1:${await closedPort()}` })],
    ['no TLS', {}, () => openS3(strict, { endpointUrl: strict.url.replace('http:', 'https:') })],
  ]
  test.each(situations)('%s', async (name, stubs, open) => {
    setAwsEnvironment({ ...credentials, ...stubs })
    for (const [verb, act] of verbs) {
      if (name === 'no such bucket' && verb === 'stat') continue
      const error = await varveErrorFrom(act(await open()))
      const told = [printedInDetail(error), inspect(error, { depth: 9, showHidden: true })].join('\n')
      expect(told).not.toContain('hunter2')
      expect(told).not.toMatch(/Signature=|[0-9a-f]{64}/)
    }
  })
})

/** With -v, as text and as JSON. */
function printedInDetail(error: unknown): string {
  const parts: string[] = []
  for (const json of [false, true]) {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    for (const stream of [stdout, stderr]) stream.on('data', (text) => parts.push(String(text)))
    const output = createOutput({ stdout, stderr, variables: {}, json, quiet: false, verbose: true })
    reportError(error, output, new AbortController().signal)
  }
  const text = parts.join('')
  expect(text).toContain('cause:')
  return text
}

function urlOf(stub: Server): string {
  return `http://127.0.0.1:${(stub.address() as AddressInfo).port}`
}

async function closedPort(): Promise<number> {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  return port
}
