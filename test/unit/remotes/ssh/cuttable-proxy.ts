import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export type CuttableProxy = {
  port: number
  /** Connections so far. */
  count: () => number
  /** Ends every connection there is. */
  cut: () => void
  /** From now on no byte passes, and no connection ends. */
  stall: () => void
  /** New connections pass; those that stall go on to. */
  heal: () => void
  close: () => Promise<void>
}

/** A TCP proxy on the loopback to `targetPort`. */
export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>()
  let count = 0
  let isStalling = false
  const server = createServer((near) => {
    count++
    const far = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
    if (isStalling) pause(near, far)
  })
  const pause = (...paused: Socket[]) => {
    for (const socket of paused) socket.removeAllListeners('data').pause()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    count: () => count,
    cut,
    stall: () => {
      isStalling = true
      pause(...sockets)
    },
    heal: () => {
      isStalling = false
    },
    close: async () => {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
