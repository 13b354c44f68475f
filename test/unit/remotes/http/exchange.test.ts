import { once } from 'node:events'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, createServer, connect as open, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { dumpBody } from '../../../../remotes/http/dump-body.ts'
import { createExchange, type Exchange } from '../../../../remotes/http/exchange.ts'
import { ProxyRefusal } from '../../../../remotes/http/proxy-refusal.ts'
import { selfSigned } from '../../../support/self-signed.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) {
    server.close()
    await once(server, 'close')
  }
})

async function listen(server: Server): Promise<number> {
  server.on('connection', (socket) => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => undefined))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  servers.push(server)
  return (server.address() as AddressInfo).port
}

const get = (exchange: Exchange, url: string, method: 'GET' | 'HEAD' = 'GET') =>
  exchange(new URL(url), { method, headers: {} })

describe('a server that closes the connection after each answer', () => {
  // More than the sockets between hold, and less: the end comes while the reader rests, or has come by then.
  const bodies = [1 << 10, 64 << 10, 100_000, 4 << 20].map((sizeBytes) => Buffer.alloc(sizeBytes, sizeBytes))

  async function serve(head: (body: Buffer) => string): Promise<string> {
    const port = await listen(
      createServer((socket) => {
        socket.once('data', (request: Buffer) => {
          const body = bodies[Number(/^GET \/(\d)/.exec(request.toString('latin1'))![1])]!
          socket.write(head(body))
          socket.end(body)
        })
      }),
    )
    return `http://127.0.0.1:${port}`
  }

  const heads: [string, (body: Buffer) => string][] = [
    ['of HTTP/1.0', ({ length }) => `HTTP/1.0 200 OK\r\nContent-Length: ${length}\r\n\r\n`],
    ['of HTTP/1.0 that tells no length', () => 'HTTP/1.0 200 OK\r\n\r\n'],
    [
      'of HTTP/1.1',
      ({ length }) => `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n`,
    ],
  ]

  test.each(heads)('%s gives all of it to a reader that rests', async (_name, head) => {
    const url = await serve(head)
    const exchange = createExchange({})
    for (const [index, expected] of bodies.entries()) {
      const { body } = await get(exchange, `${url}/${index}`)
      body.pause()
      for (let rest = 0; rest < 50; rest++) await turn()
      expect((await buffer(body)).equals(expected)).toBe(true)
    }
  })

  test.each(heads)('%s may be left at any point', async (_name, head) => {
    const url = await serve(head)
    const exchange = createExchange({})
    for (const index of bodies.keys()) {
      const unread = await get(exchange, `${url}/${index}`)
      for (let rest = 0; rest < 50; rest++) await turn()
      unread.body.destroy()
      const begun = await get(exchange, `${url}/${index}`)
      await once(begun.body, 'data')
      begun.body.destroy()
      const dumped = await get(exchange, `${url}/${index}`)
      await dumpBody(dumped.body)
      expect(dumped.body.closed).toBe(true)
    }
    expect((await buffer((await get(exchange, `${url}/1`)).body)).equals(bodies[1]!)).toBe(true)
  })
})

test('connections are kept, also after what was dumped; what is long is not read to its end', async () => {
  let connections = 0
  const server = http.createServer((request, response) => {
    const length = request.url === '/long' ? 8 << 20 : 1000
    response.writeHead(200, { 'content-length': length })
    response.end(request.method === 'HEAD' ? '' : Buffer.alloc(length))
  })
  server.on('connection', () => connections++)
  const url = `http://127.0.0.1:${await listen(server)}`
  const exchange = createExchange({})
  for (const method of ['GET', 'HEAD', 'GET'] as const) {
    await dumpBody((await get(exchange, `${url}/short`, method)).body)
    await turn()
  }
  expect(connections).toBe(1)
  const { body } = await get(exchange, `${url}/long`)
  let arrivedBytes = 0
  body.on('data', (piece: Buffer) => {
    arrivedBytes += piece.length
  })
  await dumpBody(body)
  expect(arrivedBytes).toBeLessThan(1 << 20)
})

describe('through a proxy, a server over https', () => {
  const url = 'https://data.example.org/v/a'
  type Asked = { target: string | undefined; authorisation: string | undefined }

  /** It leads everything to `port`, or refuses with a status. */
  async function startProxy(answer: { port: number } | { statusCode: number }) {
    const asked: Asked[] = []
    const proxy = http.createServer()
    proxy.on('connect', (request, socket: Socket) => {
      asked.push({ target: request.url, authorisation: request.headers['proxy-authorization'] })
      if ('statusCode' in answer) {
        socket.end(`HTTP/1.1 ${answer.statusCode} No\r\nContent-Length: 2\r\n\r\nno`)
        return
      }
      const onward = open(answer.port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'))
      onward.on('error', () => socket.destroy())
      socket.on('error', () => onward.destroy())
      socket.pipe(onward).pipe(socket)
    })
    const port = await listen(proxy)
    const exchange = createExchange({ https_proxy: `http://ada:pass%20word@127.0.0.1:${port}` })
    return { exchange, asked }
  }

  async function startSecureServer(): Promise<number> {
    return listen(https.createServer(selfSigned, (request, response) => response.end(request.url)))
  }

  test('is reached, over a connection that is kept', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    const { exchange, asked } = await startProxy({ port: await startSecureServer() })
    for (let round = 0; round < 2; round++) {
      expect((await buffer((await get(exchange, url)).body)).toString()).toBe('/v/a')
      await turn()
    }
    expect(asked).toEqual([
      {
        target: 'data.example.org:443',
        authorisation: `Basic ${Buffer.from('ada:pass word').toString('base64')}`,
      },
    ])
  })

  test('has to show a certificate that is trusted', async () => {
    const { exchange } = await startProxy({ port: await startSecureServer() })
    await expect(get(exchange, url)).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })

  test('is out of reach where the proxy refuses', async () => {
    const { exchange } = await startProxy({ statusCode: 407 })
    const refusal = await get(exchange, url).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ProxyRefusal)
    expect(refusal).toMatchObject({ statusCode: 407 })
  })

  test('is out of reach where no proxy listens', async () => {
    const exchange = createExchange({ https_proxy: 'http://127.0.0.1:1' })
    await expect(get(exchange, url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
