import { VarveError } from '../../core/errors.ts'
import { isLoopback } from './is-loopback.ts'

/**
 * The proxy for `url` by the usual variables: `https_proxy` or `http_proxy` by its scheme, and `no_proxy`; each also in
 * capitals. This machine itself is never asked through a proxy.
 * @throws BAD_CONFIG for a proxy that is not reached over HTTP
 */
export function proxyFor(url: URL, environment: NodeJS.ProcessEnv): URL | undefined {
  if (isLoopback(url.hostname)) return undefined
  const name = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const text = variable(environment, name)
  if (text === undefined || isExempt(url, variable(environment, 'no_proxy') ?? '')) return undefined
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  const proxy = URL.canParse(withScheme) ? new URL(withScheme) : undefined
  if (proxy?.protocol === 'http:' || proxy?.protocol === 'https:') return proxy
  // The value may hold a password.
  throw new VarveError('BAD_CONFIG', `${name} in the environment is no URL of an HTTP proxy`, {
    hint: `Set ${name} to http://HOST:PORT, or set no_proxy to ${url.hostname}.`,
  })
}

function variable(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  return environment[name]?.trim() || environment[name.toUpperCase()]?.trim() || undefined
}

/** A name stands for itself and all names below it, with or without a dot before it; `*` for everything. */
function isExempt(url: URL, noProxy: string): boolean {
  const host = url.hostname
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((item) => {
      if (item === '*') return true
      // What has more colons than that of a port is an IPv6 address, which a URL has in brackets.
      const [, name = '', itemPort] = /^\*?\.?(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(item) ?? ['', `[${item}]`]
      if (name === '' || (itemPort !== undefined && itemPort !== port)) return false
      return host === name || host.endsWith(`.${name}`)
    })
}
