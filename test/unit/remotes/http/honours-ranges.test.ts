import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { honoursRanges } from '../../../../remotes/http/honours-ranges.ts'
import { varveErrorFrom } from '../../../support/varve-error.ts'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

async function ask(handler: RequestListener): Promise<boolean> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v`
  return honoursRanges({ url, mayAuthenticate: false }, 'varve.json')
}

test('a part that is sent alone tells that ranges are honoured', async () => {
  let asked: unknown[] = []
  const answer = await ask(({ method, url, headers }, response) => {
    asked = [method, url, headers.range]
    response.writeHead(206, { 'content-range': 'bytes 1-1/3' }).end('b')
  })
  expect(answer).toBe(true)
  expect(asked).toEqual(['GET', '/v/varve.json', 'bytes=1-1'])
})

test('all of it tells that they are not; another status tells nothing', async () => {
  expect(await ask((_request, response) => void response.writeHead(200).end('abc'))).toBe(false)
  const refused = ask((_request, response) => void response.writeHead(403).end())
  expect((await varveErrorFrom(refused)).code).toBe('NO_PERMISSION')
})
