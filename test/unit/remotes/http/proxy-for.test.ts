import { describe, expect, test } from 'vitest'
import { proxyFor } from '../../../../remotes/http/proxy-for.ts'
import { varveErrorOf } from '../../../support/varve-error.ts'

const PROXIES = { http_proxy: 'http://plain:3128', https_proxy: 'http://secure:3128' }
const proxyOf = (url: string, environment: Record<string, string>) =>
  proxyFor(new URL(url), environment)?.host

describe('the proxy', () => {
  test('is chosen by the scheme', () => {
    expect(proxyOf('http://example.org/', PROXIES)).toBe('plain:3128')
    expect(proxyOf('https://example.org/', PROXIES)).toBe('secure:3128')
    expect(proxyOf('https://example.org/', { http_proxy: 'http://plain:3128' })).toBeUndefined()
    expect(proxyOf('https://example.org/', {})).toBeUndefined()
  })

  test('may be named in capitals, without a scheme, or not at all', () => {
    expect(proxyOf('http://example.org/', { HTTP_PROXY: 'plain:3128' })).toBe('plain:3128')
    expect(proxyOf('http://example.org/', { HTTP_PROXY: 'old:1', http_proxy: 'new:1' })).toBe('new:1')
    expect(proxyOf('http://example.org/', { http_proxy: '' })).toBeUndefined()
  })

  test.each(['http://localhost:1/', 'http://127.0.0.1/', 'http://127.1.2.3/', 'http://[::1]:8080/'])(
    'is none for %s, which is this machine',
    (url) => {
      expect(proxyOf(url, PROXIES)).toBeUndefined()
    },
  )

  test.each([
    ['example.org', true],
    ['.example.org', true],
    ['*.example.org', true],
    ['EXAMPLE.org', true],
    ['a, example.org b', true],
    ['*', true],
    ['org', true],
    ['example.org:443', true],
    ['example.org:80', false],
    ['ample.org', false],
    ['data.example.org.uk', false],
    ['', false],
    [' , ', false],
  ])('is passed by for data.example.org with no_proxy="%s": %s', (no_proxy, isPassedBy) => {
    expect(proxyOf('https://data.example.org/', { ...PROXIES, no_proxy }) === undefined).toBe(isPassedBy)
  })

  test.each(['fd00::1', '[fd00::1]', '[fd00::1]:80'])(
    'is passed by for an IPv6 address with no_proxy="%s"',
    (no_proxy) => {
      expect(proxyOf('http://[fd00::1]/', { ...PROXIES, no_proxy })).toBeUndefined()
      expect(proxyOf('http://[fd00::2]/', { ...PROXIES, no_proxy })).toBe('plain:3128')
    },
  )

  test.each(['socks5://ada:hunter2@proxy:1080', 'http://ada:hunter2@:::'])(
    '%s is refused, and not repeated',
    (https_proxy) => {
      const { code, message, hint } = varveErrorOf(() => proxyOf('https://example.org/', { https_proxy }))
      expect(code).toBe('BAD_CONFIG')
      expect(`${message}${hint}`).not.toContain('hunter2')
    },
  )
})
