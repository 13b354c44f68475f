import { Agent, createServer, type IncomingMessage, request as requestOf, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FaultyProxy, type FaultyProxyOptions, startFaultyProxy } from '../faulty-proxy.ts'
import { FAULTS, type Fault } from './fault.ts'

const BODY = Buffer.alloc(300_000, 'varve ')

let target: Server
/** What the target was asked, with the bodies that it got. */
let asked: { request: string; headers: string[]; body: Buffer }[]
const ends: (() => Promise<void> | void)[] = []

/** Answers GET with the body, POST with the size of what it got, DELETE with nothing. */
function answer(
  message: IncomingMessage,
  body: Buffer,
): { status: number; body: Buffer; isChunked?: boolean } {
  if (message.method === 'DELETE') return { status: 204, body: Buffer.alloc(0) }
  if (message.method === 'POST') return { status: 201, body: Buffer.from(String(body.length)) }
  return { status: 200, body: BODY, isChunked: message.url === '/chunked' }
}

beforeEach(async () => {
  asked = []
  target = createServer(async (message, response) => {
    const pieces: Buffer[] = []
    try {
      for await (const piece of message) pieces.push(piece)
    } catch {
      return
    }
    const received = Buffer.concat(pieces)
    asked.push({ request: `${message.method} ${message.url}`, headers: message.rawHeaders, body: received })
    const { status, body, isChunked } = answer(message, received)
    response.writeHead(status, [
      'X-Odd-Case',
      'kept',
      ...(isChunked ? [] : ['Content-Length', `${body.length}`]),
    ])
    response.end(message.method === 'HEAD' ? undefined : body)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  ends.push(async () => {
    const closed = new Promise((resolve) => target.close(resolve))
    target.closeAllConnections()
    await closed
  })
})

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function start(fault: Fault | undefined, more: Partial<FaultyProxyOptions> = {}): Promise<FaultyProxy> {
  const { port: targetPort } = target.address() as AddressInfo
  const proxy = await startFaultyProxy({
    targetPort,
    faults: fault === undefined ? {} : { [fault]: 1 },
    ...more,
  })
  ends.push(() => proxy.close())
  return proxy
}

type Outcome = { status?: number; headers?: string[]; body: Buffer; error?: string }

/** What a client sees: the part of the answer that came, and how it ended. */
function ask(
  proxy: { port: number },
  options: {
    method?: string
    path?: string
    body?: Buffer
    headers?: Record<string, string>
    signal?: AbortSignal
  } = {},
): Promise<Outcome> {
  const { body: sent, ...rest } = options
  return new Promise((resolve) => {
    const outcome: Outcome = { body: Buffer.alloc(0) }
    const fail = (error: NodeJS.ErrnoException) => resolve({ ...outcome, error: error.code ?? error.name })
    const request = requestOf({ host: '127.0.0.1', port: proxy.port, agent: false, ...rest }, (message) => {
      outcome.status = message.statusCode!
      outcome.headers = message.rawHeaders
      message.on('data', (piece) => {
        outcome.body = Buffer.concat([outcome.body, piece])
      })
      message.on('end', () => resolve(outcome))
      message.on('error', fail)
    })
    request.on('error', fail)
    if (rest.headers?.expect === undefined) request.end(sent)
    else request.on('continue', () => request.end(sent))
  })
}

function flippedBits(got: Buffer, expected: Buffer): number {
  if (got.length !== expected.length) return Number.NaN
  let bits = 0
  for (let i = 0; i < got.length; i++) {
    for (let left = got[i]! ^ expected[i]!; left > 0; left >>= 1) bits += left & 1
  }
  return bits
}

describe('without a fault', () => {
  it.each([
    ['GET', '/a?b=c%20d', 200, BODY],
    ['GET', '/chunked', 200, BODY],
    ['HEAD', '/a', 200, Buffer.alloc(0)],
    ['DELETE', '/a', 204, Buffer.alloc(0)],
  ])('%s %s goes through', async (method, path, status, body) => {
    const proxy = await start(undefined)
    const outcome = await ask(proxy, { method, path, headers: { Host: 'elsewhere:80', 'X-Signed': 'A b' } })
    expect(outcome.error).toBeUndefined()
    expect([outcome.status, outcome.body.equals(body)]).toEqual([status, true])
    expect(outcome.headers).toEqual(expect.arrayContaining(['X-Odd-Case', 'kept']))
    expect(asked.map(({ request }) => request)).toEqual([`${method} ${path}`])
    expect(asked[0]!.headers).toEqual(expect.arrayContaining(['Host', 'elsewhere:80', 'X-Signed', 'A b']))
    expect(asked[0]!.headers.filter((name) => /^host$/i.test(name))).toHaveLength(1)
  })

  it.each([
    ['with a length', { 'content-length': '300000' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
    ['when told to go on', { 'content-length': '300000', expect: '100-continue' }],
  ])('a body goes through %s', async (_, headers) => {
    const proxy = await start(undefined)
    const outcome = await ask(proxy, { method: 'POST', headers, body: BODY })
    expect(outcome).toMatchObject({ status: 201, body: Buffer.from('300000') })
    expect(asked[0]!.body.equals(BODY)).toBe(true)
  })

  it('a connection serves several requests', async () => {
    const proxy = await start(undefined)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    ends.push(() => agent.destroy())
    const ports = new Set<number | undefined>()
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve, reject) => {
        const request = requestOf(
          { host: '127.0.0.1', port: proxy.port, agent, path: `/${i}` },
          (message) => {
            ports.add(message.socket.localPort)
            message.resume().on('end', resolve)
          },
        )
        request.on('error', reject).end()
      })
    }
    expect([ports.size, proxy.requests]).toEqual([1, 3])
  })

  it('a target that is gone is told apart', async () => {
    const proxy = await start(undefined)
    target.close()
    target.closeAllConnections()
    expect((await ask(proxy)).error).toBe('ECONNRESET')
    expect(proxy.targetFailures).toBe(1)
    target.listen(0)
  })
})

describe('the fault', () => {
  const POST = { method: 'POST', body: BODY, headers: { 'content-length': '300000' } }

  it('reset-before keeps the request from the target', async () => {
    const proxy = await start('reset-before')
    expect(await ask(proxy, POST)).toMatchObject({ error: expect.stringMatching(/ECONNRESET|EPIPE/) })
    expect([asked.length, proxy.counts['reset-before']]).toEqual([0, 1])
  })

  it('reset-after loses the answer alone', async () => {
    const proxy = await start('reset-after')
    const outcome = await ask(proxy, POST)
    expect(outcome.error).toBe('ECONNRESET')
    expect(outcome.status).toBeUndefined()
    expect(asked[0]!.body.equals(BODY)).toBe(true)
    expect(proxy.counts['reset-after']).toBe(1)
  })

  it.each(['reset-midway', 'truncate'] as const)('%s loses the end of the answer', async (fault) => {
    const proxy = await start(fault)
    const outcome = await ask(proxy)
    expect(outcome).toMatchObject({ status: 200, error: 'ECONNRESET' })
    expect(outcome.headers).toEqual(expect.arrayContaining(['Content-Length', '300000']))
    expect(outcome.body.length).toBeLessThan(BODY.length)
    expect(BODY.subarray(0, outcome.body.length).equals(outcome.body)).toBe(true)
    expect(proxy.counts[fault]).toBe(1)
  })

  it('truncate ends the connection in order', async () => {
    const proxy = await start('truncate', { seed: 3 })
    const ended = await new Promise<boolean>((resolve) => {
      const request = requestOf({ host: '127.0.0.1', port: proxy.port, agent: false }, (message) => {
        message.socket.on('end', () => resolve(true))
        message.socket.on('error', () => resolve(false))
        message.on('error', () => undefined).resume()
      })
      request.on('error', () => resolve(false)).end()
    })
    expect(ended).toBe(true)
  })

  it.each(['stall', 'stall-midway'] as const)('%s never ends', async (fault) => {
    const proxy = await start(fault)
    const controller = new AbortController()
    const asking = ask(proxy, { ...(fault === 'stall' ? POST : {}), signal: controller.signal })
    await expect.poll(() => proxy.counts[fault]).toBe(1)
    controller.abort()
    expect(await asking).toMatchObject({ error: expect.stringMatching(/ABORT|ECONNRESET/) })
    expect(asked).toHaveLength(fault === 'stall' ? 0 : 1)
  })

  it.each(['stall', 'stall-midway'] as const)('%s ends in time', async (fault) => {
    const proxy = await start(fault, { stallMs: 1 })
    const outcome = await ask(proxy)
    expect([outcome.status, outcome.body.equals(BODY)]).toEqual([200, true])
    expect(proxy.counts[fault]).toBe(1)
  })

  it.each([
    ['status-500', 500, 'InternalError'],
    ['status-503-slowdown', 503, 'SlowDown'],
    ['status-429', 429, 'TooManyRequests'],
  ] as const)('%s answers in place of the target', async (fault, status, code) => {
    const proxy = await start(fault)
    for (const headers of [POST.headers, { ...POST.headers, expect: '100-continue' }]) {
      const outcome = await ask(proxy, { ...POST, headers })
      expect(outcome.status).toBe(status)
      expect(outcome.body.toString()).toContain(`<Error><Code>${code}</Code>`)
    }
    expect((await ask(proxy, { method: 'HEAD' })).status).toBe(status)
    expect([asked.length, proxy.counts[fault]]).toEqual([0, 3])
  })

  it.each(['/', '/chunked'])('corrupt flips one bit of the answer to %s', async (path) => {
    const proxy = await start('corrupt')
    const { body, error } = await ask(proxy, { path })
    expect(error).toBeUndefined()
    expect(flippedBits(body, BODY)).toBe(1)
    expect(proxy.counts.corrupt).toBe(1)
  })

  it('corrupt-request flips one bit of what the target gets', async () => {
    const proxy = await start('corrupt-request')
    expect(await ask(proxy, POST)).toMatchObject({ status: 201 })
    expect(flippedBits(asked[0]!.body, BODY)).toBe(1)
    expect(proxy.counts['corrupt-request']).toBe(1)
  })

  it.each(['corrupt', 'corrupt-request', 'truncate', 'reset-midway', 'stall-midway'] as const)(
    '%s leaves alone what has no byte',
    async (fault) => {
      const proxy = await start(fault)
      expect(await ask(proxy, { method: 'DELETE' })).toMatchObject({ status: 204 })
      expect(await ask(proxy, { method: 'HEAD' })).toMatchObject({ status: 200 })
      expect(proxy.counts[fault]).toBe(0)
    },
  )
})

describe('the choice', () => {
  /** The faults that befall 200 requests, one after the other. */
  async function faultsOf(options: Partial<FaultyProxyOptions>): Promise<(Fault | undefined)[]> {
    const befell: (Fault | undefined)[] = []
    const proxy = await start(undefined, {
      faults: { 'status-500': 3, 'status-429': 1 },
      ...options,
      log: ({ fault }) => void befell.splice(-1, 1, fault),
    })
    for (let i = 0; i < 200; i++) {
      befell.push(undefined)
      await ask(proxy, { method: 'DELETE' })
    }
    return befell
  }

  it('follows from the seed', async () => {
    const [one, same, other] = [
      await faultsOf({ rate: 0.2 }),
      await faultsOf({ rate: 0.2 }),
      await faultsOf({ rate: 0.2, seed: 2 }),
    ]
    expect(one).toEqual(same)
    expect(one).not.toEqual(other)
  })

  it('keeps to rate and weights', async () => {
    const befell = await faultsOf({ rate: 0.2 })
    const count = (fault: Fault) => befell.filter((each) => each === fault).length
    const [often, seldom] = [count('status-500'), count('status-429')]
    expect(often + seldom).toBeGreaterThan(25)
    expect(often + seldom).toBeLessThan(55)
    expect(often).toBeGreaterThan(1.5 * seldom)
    expect(seldom).toBeGreaterThan(0)
  })

  it('can be set while it runs', async () => {
    const proxy = await start('status-500', { rate: 0 })
    const status = async (method = 'GET') => (await ask(proxy, { method })).status
    expect(await status()).toBe(200)
    proxy.setRate(1)
    expect(await status()).toBe(500)
    proxy.setFaults({ 'status-429': 1 })
    expect(await status()).toBe(429)
    proxy.only = (method, url) => method === 'DELETE' && url === '/'
    expect(await status()).toBe(200)
    expect(await status('DELETE')).toBe(429)
    proxy.setFaults({})
    expect(await status('DELETE')).toBe(204)
  })

  it('knows every fault', async () => {
    const proxy = await start(undefined)
    expect(Object.keys(proxy.counts)).toEqual([...FAULTS])
  })
})
