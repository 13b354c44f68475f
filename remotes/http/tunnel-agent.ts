import http from 'node:http'
import https from 'node:https'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect } from 'node:tls'
import { proxyAuthorisation, socketPlaceOf } from './proxy-connection.ts'
import { ProxyRefusal } from './proxy-refusal.ts'
import { timedOut } from './timed-out.ts'

type OnSocket = (error: Error | null, socket?: Duplex) => void

/** Reaches servers over https through an HTTP proxy, by CONNECT (RFC 9110, 9.3.6). */
export class TunnelAgent extends https.Agent {
  readonly #proxy: URL
  readonly #connectMs: number

  constructor(proxy: URL, options: https.AgentOptions & { connectMs: number }) {
    super(options)
    this.#proxy = proxy
    this.#connectMs = options.connectMs
  }

  override createConnection(options: https.RequestOptions, onSocket: OnSocket): undefined {
    const proxy = this.#proxy
    const { host, port, servername } = options
    if (typeof host !== 'string') throw new Error('a tunnel leads to a host')
    const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`
    const request = (proxy.protocol === 'https:' ? https : http).request({
      ...socketPlaceOf(proxy),
      method: 'CONNECT',
      path: target,
      headers: { host: target, ...proxyAuthorisation(proxy) },
      agent: false,
      timeout: this.#connectMs,
    })
    request.once('timeout', () => request.destroy(timedOut('connect')))
    // It stays: of several calls Node takes the first.
    request.on('error', onSocket)
    // Of a refusal too: to CONNECT any answer is one.
    request.once('connect', ({ statusCode = 0 }, socket) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy()
        onSocket(new ProxyRefusal(statusCode))
        return
      }
      socket.setTimeout(0)
      onSocket(null, connect({ host, servername, socket, ALPNProtocols: ['http/1.1'] }))
    })
    request.end()
  }
}
