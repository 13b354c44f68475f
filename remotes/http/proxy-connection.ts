import { isIP } from 'node:net'

/** Where a connection to the server of `url` goes. Without a name for TLS, Node would take that of the Host header. */
export function socketPlaceOf(url: URL): { host: string; port: number; servername: string } {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80)
  return { host, port, servername: isIP(host) === 0 ? host : '' }
}

/** The header that shows a proxy the user and password in its URL; none where it has none. */
export function proxyAuthorisation({ username, password }: URL): Record<string, string> {
  if (username === '') return {}
  const login = `${decoded(username)}:${decoded(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }
}

/** A password with a stray percent sign stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
