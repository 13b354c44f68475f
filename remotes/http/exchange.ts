import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Readable } from 'node:stream'
import { proxyAuthorisation, socketPlaceOf } from './proxy-connection.ts'
import { proxyFor } from './proxy-for.ts'
import { timedOut } from './timed-out.ts'
import { TunnelAgent } from './tunnel-agent.ts'

/** The body must be read to its end, dumped or destroyed. */
export type HttpAnswer = {
  statusCode: number
  headers: Readonly<Record<string, string | undefined>>
  body: Readable
}

export type ExchangeOptions = {
  method: 'GET' | 'HEAD'
  headers: Readonly<Record<string, string>>
  signal?: AbortSignal | undefined
}

/**
 * Sends one request, and gives the answer as it is, over connections that are kept.
 * @throws errors of the system; BAD_CONFIG as `proxyFor` does
 */
export type Exchange = (url: URL, options: ExchangeOptions) => Promise<HttpAnswer>

const CONNECT_MS = 20_000
/** Of silence: how long an answer takes as a whole is not limited. */
const SILENCE_MS = 60_000

/**
 * On Node's own client. undici, up to the last version that runs on Node 20, ends the process with an AssertionError when
 * a server closes the connection while the reader of a body rests (its issue 5360): each answer of an HTTP/1.0 server
 * may do so.
 */
export function createExchange(environment: NodeJS.ProcessEnv = process.env): Exchange {
  const options = { keepAlive: true, timeout: SILENCE_MS }
  const agents = { 'http:': new http.Agent(options), 'https:': new https.Agent(options) }
  const tunnels = new Map<string, TunnelAgent>()

  function tunnelThrough(proxy: URL): TunnelAgent {
    let agent = tunnels.get(proxy.href)
    if (agent === undefined) {
      agent = new TunnelAgent(proxy, { ...options, connectMs: CONNECT_MS })
      tunnels.set(proxy.href, agent)
    }
    return agent
  }

  function makeRequest(url: URL, { method, headers, signal }: ExchangeOptions): ClientRequest {
    const proxy = proxyFor(url, environment)
    const path = `${url.pathname}${url.search}`
    const common = { method, ...(signal && { signal }) }
    if (url.protocol === 'https:') {
      const agent = proxy === undefined ? agents['https:'] : tunnelThrough(proxy)
      return https.request({ ...common, ...socketPlaceOf(url), path, headers, agent })
    }
    if (proxy === undefined) {
      return http.request({ ...common, ...socketPlaceOf(url), path, headers, agent: agents['http:'] })
    }
    // Few proxies let a tunnel through to where plain HTTP is spoken.
    const { request } = proxy.protocol === 'https:' ? https : http
    return request({
      ...common,
      ...socketPlaceOf(proxy),
      path: `${url.origin}${path}`,
      headers: { host: url.host, ...proxyAuthorisation(proxy), ...headers },
      agent: agents[proxy.protocol === 'https:' ? 'https:' : 'http:'],
    })
  }

  return (url, exchangeOptions) =>
    new Promise((resolve, reject) => {
      const request = makeRequest(url, exchangeOptions)
      let body: IncomingMessage | undefined
      // It stays: what breaks after the answer has begun is told by the body too.
      request.on('error', reject)
      request.once('response', (answer) => {
        body = answer
        // One that is left unread ends with an error, which nobody else waits for.
        answer.on('error', () => undefined)
        resolve({ statusCode: answer.statusCode ?? 0, headers: single(answer.headers), body: answer })
      })
      request.on('timeout', () => {
        // While the reader rests, it is not the server that is silent.
        if (body?.isPaused() !== true) (body ?? request).destroy(timedOut('read'))
      })
      limitConnecting(request)
      request.end()
    })
}

function limitConnecting(request: ClientRequest): void {
  request.once('socket', (socket) => {
    if (!socket.connecting) return
    const timer = setTimeout(() => request.destroy(timedOut('connect')), CONNECT_MS)
    for (const event of ['connect', 'close'] as const) socket.once(event, () => clearTimeout(timer))
  })
}

/** Node gives a list of cookies, and of them alone. */
function single(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )
}
