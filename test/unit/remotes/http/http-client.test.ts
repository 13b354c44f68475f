import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Exchange } from '../../../../remotes/http/exchange.ts'
import { HttpClient } from '../../../../remotes/http/http-client.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

type Answer = { statusCode: number; headers?: Record<string, string> }
type Sent = { url: string; authorization: string | undefined }

const BASIC = `Basic ${Buffer.from('ada:hunter2').toString('base64')}`

/** A web of servers: what each URL answers, told whether credentials came along. */
function makeClient(
  url: string,
  answerTo: (request: Sent) => Answer,
  options: { mayAuthenticate?: boolean; hasCredentials?: boolean } = {},
) {
  const { mayAuthenticate = true, hasCredentials = true } = options
  const sent: Sent[] = []
  const asked: string[] = []
  const exchange: Exchange = async (target, { headers }) => {
    const request = { url: target.href, authorization: headers.authorization }
    sent.push(request)
    return { headers: {}, ...answerTo(request), body: Readable.from([]) }
  }
  const client = new HttpClient({
    place: { url, mayAuthenticate },
    exchange,
    findCredentials: async (hostname) => {
      asked.push(hostname)
      return hasCredentials ? { login: 'ada', password: 'hunter2' } : undefined
    },
  })
  const get = (key = 'index/a') => client.send({ method: 'GET', key, doing: `reading ${key} in ${url}` })
  return { get, sent, asked }
}

const redirect = (location: string, statusCode = 302): Answer => ({ statusCode, headers: { location } })
const locked = ({ authorization }: Sent): Answer => ({ statusCode: authorization === BASIC ? 200 : 401 })

describe('a redirect', () => {
  test.each([
    ['http://a.org/v', 'http://a.org/w/index/a'],
    ['http://a.org/v', '/w/index/a'],
    ['http://a.org/v', 'https://a.org/v/index/a'],
    ['https://a.org/v', 'https://cdn.org/x?token=1'],
    ['http://a.org/v', 'http://cdn.org/x'],
  ])('from %s to %s is followed', async (url, location) => {
    const target = new URL(location, `${url}/index/a`).href
    const { get, sent } = makeClient(url, (request) =>
      request.url === target ? { statusCode: 200 } : redirect(location),
    )
    expect((await get()).statusCode).toBe(200)
    expect(sent.map((request) => request.url)).toEqual([`${url}/index/a`, target])
  })

  test.each([301, 302, 303, 307, 308])('may be of status %i', async (statusCode) => {
    const { get } = makeClient('http://a.org/v', ({ url }) =>
      url.endsWith('/w') ? { statusCode: 200 } : redirect('/w', statusCode),
    )
    expect((await get()).statusCode).toBe(200)
  })

  test('from https to http is refused, on any hop', async () => {
    const { get, sent } = makeClient('https://a.org/v', ({ url }) =>
      redirect(url.startsWith('https://a.org') ? 'https://b.org/x' : 'http://b.org/x'),
    )
    const { code, message, retryable } = await varveErrorFrom(get())
    expect([code, retryable]).toEqual(['REMOTE_FAILED', false])
    expect(message).toContain('from https to plain http')
    expect(sent.map(({ url }) => url)).toEqual(['https://a.org/v/index/a', 'https://b.org/x'])
  })

  test.each(['ftp://a.org/x', 'file:///etc/passwd', 'data:text/plain,x'])(
    'to %s is refused',
    async (location) => {
      const { get, sent } = makeClient('http://a.org/v', () => redirect(location))
      expect((await varveErrorFrom(get())).code).toBe('REMOTE_FAILED')
      expect(sent).toHaveLength(1)
    },
  )

  test('in a circle ends after five', async () => {
    const { get, sent } = makeClient('http://a.org/v', ({ url }) => redirect(`${url}x`))
    expect((await varveErrorFrom(get())).message).toContain('more than 5 times')
    expect(sent).toHaveLength(6)
  })

  test('to the same path with a slash means a folder, and so that there is no such value', async () => {
    const { get, sent } = makeClient('http://a.org/v', ({ url }) =>
      redirect(`${url.replace('a.org', 'inner:81')}/`, 301),
    )
    expect((await get('packs/ab')).statusCode).toBe(404)
    expect(sent).toHaveLength(1)
  })

  test('without a place to go to is an answer like others', async () => {
    const { get } = makeClient('http://a.org/v', () => ({ statusCode: 302 }))
    expect((await get()).statusCode).toBe(302)
  })
})

describe('credentials', () => {
  test('are sent only once the server has asked, and then with every request', async () => {
    const { get, sent, asked } = makeClient('https://a.org/v', locked)
    expect((await get('a')).statusCode).toBe(200)
    expect((await get('b')).statusCode).toBe(200)
    expect(sent.map(({ authorization }) => authorization)).toEqual([undefined, BASIC, BASIC])
    expect(asked).toEqual(['a.org'])
  })

  test('go to this machine over http', async () => {
    const { get } = makeClient('http://127.0.0.1:8080/v', locked)
    expect((await get()).statusCode).toBe(200)
  })

  test('go to the same host over https after an upgrade', async () => {
    const { get, sent } = makeClient('http://a.org/v', (request) =>
      request.url.startsWith('http:') ? redirect(request.url.replace('http:', 'https:')) : locked(request),
    )
    expect((await get()).statusCode).toBe(200)
    expect(sent.map(({ authorization }) => authorization)).toEqual([undefined, undefined, BASIC])
  })

  test('do not follow a redirect to another host', async () => {
    const { get, sent } = makeClient('https://a.org/v', (request) => {
      if (request.url.startsWith('https://cdn.org/')) return { statusCode: 200 }
      return locked(request).statusCode === 401 ? locked(request) : redirect('https://ada:pw@cdn.org/x')
    })
    expect((await get()).statusCode).toBe(200)
    expect(sent.map(({ url, authorization }) => [url, authorization])).toEqual([
      ['https://a.org/v/index/a', undefined],
      ['https://a.org/v/index/a', BASIC],
      ['https://cdn.org/x', undefined],
    ])
  })

  const refusals: [string, string, Parameters<typeof makeClient>[2], string][] = [
    ['a host that is not trusted', 'https://a.org/v', { mayAuthenticate: false }, 'varve trust'],
    ['plain http', 'http://a.org/v', {}, 'https'],
    ['a host that the user has none for', 'https://a.org/v', { hasCredentials: false }, '.netrc'],
  ]
  test.each(refusals)(
    'are not sent to %s, with one line on what to do',
    async (_name, url, options, hint) => {
      const { get, sent } = makeClient(url, locked, options)
      const error = await varveErrorFrom(get())
      expect([error.code, error.retryable]).toEqual(['NO_PERMISSION', false])
      expect(error.message).toContain('(401)')
      expect(error.hint).toContain(hint)
      expect(sent.map(({ authorization }) => authorization)).toEqual([undefined])
    },
  )

  test('are neither looked up nor sent for another host that asks', async () => {
    const { get, sent, asked } = makeClient('https://a.org/v', ({ url }) =>
      url.startsWith('https://a.org/') ? redirect('https://a.org:8443/x') : { statusCode: 401 },
    )
    expect((await varveErrorFrom(get())).code).toBe('NO_PERMISSION')
    expect([sent.length, asked.length]).toEqual([2, 0])
  })

  test('that are wrong are tried once, and not printed', async () => {
    const { get, sent } = makeClient('https://a.org/v', () => ({ statusCode: 401 }))
    const { message, hint, stack } = await varveErrorFrom(get())
    expect(sent).toHaveLength(2)
    expect(hint).toContain('~/.netrc')
    expect(`${message}${hint}${stack}`).not.toMatch(/hunter2|Basic/)
  })
})
