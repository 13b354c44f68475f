import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createHttpRemote } from '../../../remotes/http.ts'
import { entriesOf, readBytes } from '../../contract/sources.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const close of closers.splice(0)) await close()
})

type Handler = (request: IncomingMessage, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    handler(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  const { port } = server.address() as { port: number }
  return { url: `http://127.0.0.1:${port}`, requests }
}

async function remoteFor(handler: Handler): Promise<{ remote: Remote; requests: IncomingMessage[] }> {
  const { url, requests } = await serve(handler)
  return { remote: await createHttpRemote({ url, mayAuthenticate: false }), requests }
}

const requestsOf = (remote: Remote): (() => Promise<unknown>)[] => [
  () => remote.stat('a'),
  () => readBytes(remote, 'a'),
  () => entriesOf(remote, 'index/'),
]

const DIGITS = Buffer.from('0123456789')

function answer(
  response: ServerResponse,
  statusCode: number,
  headers = {},
  body: Uint8Array | string = '',
): void {
  response.writeHead(statusCode, headers).end(body)
}

/** Sends everything, whatever part is asked for. */
function withoutRanges(bytes: Buffer): Handler {
  return (request, response) =>
    answer(response, 200, { 'content-length': bytes.length }, request.method === 'HEAD' ? '' : bytes)
}

describe('a server without byte ranges', () => {
  test('gives whole values, and parts from near the start', async () => {
    const { remote } = await remoteFor(withoutRanges(DIGITS))
    expect((await readBytes(remote, 'a')).toString()).toBe('0123456789')
    for (const [start, endExclusive, expected] of [
      [0, 3, '012'],
      [3, 7, '3456'],
      [8, 100, '89'],
      [10, 20, ''],
      [50, 60, ''],
    ] as const) {
      expect((await readBytes(remote, 'a', { range: { start, endExclusive } })).toString()).toBe(expected)
    }
  })

  test('is refused, in one line, where most of it would be sent in vain', async () => {
    const bytes = Buffer.alloc(3 << 20, 7)
    const { remote } = await remoteFor(withoutRanges(bytes))
    const near = await readBytes(remote, 'a', { range: { start: 1000, endExclusive: 2000 } })
    expect(near.equals(bytes.subarray(1000, 2000))).toBe(true)
    const far = { range: { start: 2 << 20, endExclusive: (2 << 20) + 10 } }
    const { code, message, retryable } = await varveErrorFrom(readBytes(remote, 'a', far))
    expect([code, retryable]).toEqual(['REMOTE_FAILED', false])
    expect(message).toContain('has no byte ranges')
    expect((await readBytes(remote, 'a')).equals(bytes)).toBe(true)
  })

  test('tells the size by HEAD', async () => {
    const { remote } = await remoteFor(withoutRanges(DIGITS))
    expect(await remote.stat('a')).toMatchObject({ key: 'a', sizeBytes: 10 })
  })
})

describe('a server that compresses', () => {
  const compressing: Handler = (_request, response) =>
    answer(response, 200, { 'content-encoding': 'gzip', 'content-length': 10 }, DIGITS)

  test('is asked not to', async () => {
    const { remote, requests } = await remoteFor(withoutRanges(DIGITS))
    await readBytes(remote, 'a')
    expect(requests[0]!.headers['accept-encoding']).toBe('identity')
  })

  test('all the same is an error, and its size is not believed', async () => {
    const { remote } = await remoteFor(compressing)
    for (const failing of requestsOf(remote)) {
      const { code, hint } = await varveErrorFrom(failing())
      expect([code, hint]).toEqual(['REMOTE_FAILED', expect.stringContaining('compression')])
    }
  })
})

describe('a server without a proper HEAD', () => {
  const ranged: Handler = (request, response) => {
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
    expect(range).not.toBeNull()
    answer(response, 206, { 'content-range': `bytes 0-0/10`, 'content-length': 1 }, '0')
  }

  test.each([405, 501])(
    'that answers %i is asked for one byte, and for HEAD never again',
    async (statusCode) => {
      const { remote, requests } = await remoteFor((request, response) =>
        request.method === 'HEAD' ? answer(response, statusCode) : ranged(request, response),
      )
      for (let round = 0; round < 2; round++) expect((await remote.stat('a'))?.sizeBytes).toBe(10)
      expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'GET'])
    },
  )

  test('that does not tell the length is asked for one byte', async () => {
    const { remote } = await remoteFor((request, response) =>
      request.method === 'HEAD'
        ? answer(response, 200, { 'transfer-encoding': 'chunked' })
        : ranged(request, response),
    )
    expect((await remote.stat('a'))?.sizeBytes).toBe(10)
  })

  test.each([
    ['an empty value', 416, { 'content-range': 'bytes */0' }, 0],
    ['an empty value, without a word on it', 416, {}, 0],
    ['all of it', 200, { 'content-length': '5' }, 5],
    ['nothing', 404, {}, undefined],
    ['nothing any more', 410, {}, undefined],
  ])('that then answers with %s is understood', async (_name, statusCode, headers, sizeBytes) => {
    const { remote } = await remoteFor((request, response) =>
      request.method === 'HEAD'
        ? answer(response, 405)
        : answer(response, statusCode, headers, 'length' in headers ? '' : statusCode === 200 ? '12345' : ''),
    )
    expect((await remote.stat('a'))?.sizeBytes).toBe(sizeBytes)
  })
})

describe('time', () => {
  test('is that of the value, or else that of the answer', async () => {
    const modified = 'Wed, 21 Oct 2015 07:28:00 GMT'
    const date = 'Thu, 22 Oct 2015 07:28:00 GMT'
    const { remote } = await remoteFor((request, response) =>
      answer(response, 200, {
        'content-length': 10,
        date,
        ...(request.url === '/old' ? { 'last-modified': modified } : {}),
      }),
    )
    expect((await remote.stat('old'))?.modifiedAt).toEqual(new Date(modified))
    expect((await remote.stat('new'))?.modifiedAt).toEqual(new Date(date))
  })
})

describe('a status', () => {
  const answers = (statusCode: number) =>
    remoteFor((_request, response) => answer(response, statusCode, {}, 'why'))

  test.each([
    [403, 'NO_PERMISSION', false],
    [401, 'NO_PERMISSION', false],
    [407, 'REMOTE_FAILED', false],
    [418, 'REMOTE_FAILED', false],
    [204, 'REMOTE_FAILED', false],
    [429, 'REMOTE_BUSY', true],
    [503, 'REMOTE_BUSY', true],
    [408, 'REMOTE_FAILED', true],
    [500, 'REMOTE_FAILED', true],
    [502, 'REMOTE_FAILED', true],
    [504, 'REMOTE_FAILED', true],
  ])('of %i is %s, retryable: %s', async (statusCode, code, retryable) => {
    const { remote } = await answers(statusCode)
    for (const failing of requestsOf(remote)) {
      const error = await varveErrorFrom(failing())
      expect([error.code, error.retryable]).toEqual([code, retryable])
      expect(error.message).toContain(`${statusCode}`)
      expect(error.message).toContain(remote.label)
      expect(error.hint).toBeDefined()
    }
  })

  test.each([404, 410])('of %i means that there is nothing', async (statusCode) => {
    const { remote } = await answers(statusCode)
    expect(await remote.stat('a')).toBeUndefined()
    expect((await varveErrorFrom(readBytes(remote, 'a'))).code).toBe('NOT_FOUND')
    const empty = { range: { start: 4, endExclusive: 4 } }
    expect((await varveErrorFrom(readBytes(remote, 'a', empty))).code).toBe('NOT_FOUND')
  })
})

describe('an answer that breaks off', () => {
  test.each([
    ['with its length', { 'content-length': '100' }],
    ['in pieces', {}],
  ])('%s is an error that may pass', async (_name, headers) => {
    const { remote } = await remoteFor((_request, response) => {
      response.writeHead(200, headers)
      response.write(DIGITS, () => response.destroy())
    })
    const { code, retryable } = await varveErrorFrom(readBytes(remote, 'a'))
    expect([code, retryable]).toEqual(['REMOTE_FAILED', true])
  })

  test('at the end of a part that was to be longer is an error that may pass', async () => {
    const { remote } = await remoteFor((_request, response) =>
      answer(response, 206, { 'content-range': 'bytes 2-4/10' }, DIGITS.subarray(2, 5)),
    )
    const reading = readBytes(remote, 'a', { range: { start: 2, endExclusive: 8 } })
    const { code, message, retryable } = await varveErrorFrom(reading)
    expect([code, retryable]).toEqual(['REMOTE_FAILED', true])
    expect(message).toContain('3 of 6 bytes')
  })

  test('before it begins is an error that may pass', async () => {
    const { remote } = await remoteFor((request) => request.socket.destroy())
    for (const failing of requestsOf(remote)) {
      expect(await varveErrorFrom(failing())).toMatchObject({ code: 'REMOTE_FAILED', retryable: true })
    }
  })
})

describe('a part', () => {
  test.each([
    ['that begins elsewhere', { 'content-range': 'bytes 3-7/10' }, '34567'],
    ['that is longer', { 'content-range': 'bytes 2-9/10' }, '23456789'],
    ['that is not named', {}, '234'],
    ['that is several', { 'content-type': 'multipart/byteranges; boundary=x' }, '--x'],
    ['that has more bytes than it names', { 'content-range': 'bytes 2-6/7' }, '2345678'],
  ])('%s is refused', async (_name, headers, body) => {
    const { remote } = await remoteFor((_request, response) => answer(response, 206, headers, body))
    const reading = readBytes(remote, 'a', { range: { start: 2, endExclusive: 8 } })
    expect((await varveErrorFrom(reading)).code).toBe('REMOTE_FAILED')
  })

  test('that nobody asked for is refused', async () => {
    const { remote } = await remoteFor((_request, response) =>
      answer(response, 206, { 'content-range': 'bytes 0-4/10' }, '01234'),
    )
    expect((await varveErrorFrom(readBytes(remote, 'a'))).code).toBe('REMOTE_FAILED')
  })

  test('from inside, which the server denies, is refused', async () => {
    const { remote } = await remoteFor((_request, response) =>
      answer(response, 416, { 'content-range': 'bytes */10' }),
    )
    const reading = readBytes(remote, 'a', { range: { start: 2, endExclusive: 8 } })
    expect((await varveErrorFrom(reading)).code).toBe('REMOTE_FAILED')
    expect(await readBytes(remote, 'a', { range: { start: 10, endExclusive: 18 } })).toHaveLength(0)
  })
})

describe('the listing', () => {
  const body = JSON.stringify({ varve: 1, prefixes: ['index/'], keys: [['index/1.idx', 5]] })

  test('is asked for anew each time, and sent again only if it is another one', async () => {
    const { remote, requests } = await remoteFor((request, response) => {
      const headers = { etag: '"1"', 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT' }
      if (request.headers['if-none-match'] === '"1"') answer(response, 304, headers)
      else answer(response, 200, headers, body)
    })
    for (let round = 0; round < 2; round++) {
      expect(await entriesOf(remote, 'index/')).toEqual([
        { key: 'index/1.idx', sizeBytes: 5, modifiedAt: new Date('2015-10-21T07:28:00Z') },
      ])
    }
    expect(requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"1"'])
    expect(requests.every(({ headers }) => headers['cache-control'] === 'no-cache')).toBe(true)
  })

  test('whose validators could not be sent back is asked for without them', async () => {
    const { remote, requests } = await remoteFor((_request, response) =>
      answer(
        response,
        200,
        { etag: '"\u00ff"', 'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT (\u00ff)' },
        body,
      ),
    )
    for (let round = 0; round < 2; round++) expect(await entriesOf(remote, 'index/')).toHaveLength(1)
    expect(requests.map(({ headers }) => headers['if-none-match'] ?? headers['if-modified-since'])).toEqual([
      undefined,
      undefined,
    ])
  })

  test('that was written just now is sent again: its validators may not tell it from the next', async () => {
    const { remote, requests } = await remoteFor((_request, response) =>
      answer(response, 200, { etag: '"1"', 'last-modified': new Date().toUTCString() }, body),
    )
    for (let round = 0; round < 2; round++) await entriesOf(remote, 'index/')
    expect(requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined])
  })
})

describe('a proxy', () => {
  test('that the environment names gets the whole URL', async () => {
    const { url, requests } = await serve(withoutRanges(DIGITS))
    vi.stubEnv('http_proxy', url)
    vi.stubEnv('no_proxy', '')
    vi.stubEnv('NO_PROXY', '')
    const remote = await createHttpRemote({ url: 'http://data.example.org/v', mayAuthenticate: false })
    expect((await readBytes(remote, 'a')).toString()).toBe('0123456789')
    expect(requests[0]!.url).toBe('http://data.example.org/v/a')
    expect(requests[0]!.headers.host).toBe('data.example.org')
  })
})

test('a place where nothing listens cannot be reached', async () => {
  const { url } = await serve(() => undefined)
  for (const close of closers.splice(0)) await close()
  const remote = await createHttpRemote({ url, mayAuthenticate: false })
  expect(await varveErrorFrom(remote.stat('a'))).toMatchObject({
    code: 'REMOTE_UNREACHABLE',
    retryable: true,
  })
})

test('many reads with one signal give no warning', async () => {
  const { remote } = await remoteFor(withoutRanges(DIGITS))
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const { signal } = new AbortController()
  await Promise.all(Array.from({ length: 30 }, () => readBytes(remote, 'a', { signal })))
  // Warnings are told in a later turn.
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', note)
  expect(warnings).toEqual([])
})
