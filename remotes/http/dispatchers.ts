import type { Dispatcher } from 'undici'
import { proxyFor } from './proxy-for.ts'

/** What sends a request to a URL, over connections that are kept. @throws BAD_CONFIG as `proxyFor` does */
export type DispatcherFor = (url: URL) => Dispatcher

const CONNECT_MS = 20_000
/** Of silence: how long an answer takes as a whole is not limited. */
const SILENCE_MS = 60_000

export async function createDispatchers(
  environment: NodeJS.ProcessEnv = process.env,
): Promise<DispatcherFor> {
  // By its default export: in a bundle it shows no names.
  const {
    default: { Agent, ProxyAgent },
  } = await import('undici')
  const options = { connect: { timeout: CONNECT_MS }, headersTimeout: SILENCE_MS, bodyTimeout: SILENCE_MS }
  const direct = new Agent(options)
  const proxied = new Map<string, Dispatcher>()
  return (url) => {
    const proxy = proxyFor(url, environment)
    if (proxy === undefined) return direct
    let agent = proxied.get(proxy.href)
    if (agent === undefined) {
      // Few proxies let a tunnel through to where plain HTTP is spoken.
      agent = new ProxyAgent({ ...options, uri: proxy.href, proxyTunnel: false })
      proxied.set(proxy.href, agent)
    }
    return agent
  }
}
