import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createSshRemote } from '../../../remotes/ssh.ts'
import { keysOf, readBytes, someBytes, sourceOf, stallingSource } from '../../contract/sources.ts'
import { requiredServer } from '../../support/required-server.ts'
import { hasSshd, type Sshd, startSshd, useHome } from '../../support/sshd.ts'
import { type CuttableProxy, startCuttableProxy } from './ssh/cuttable-proxy.ts'

const MEBIBYTE = 1024 * 1024
const LOST = { code: 'REMOTE_FAILED', retryable: true, message: expect.stringContaining('connection') }

describe.runIf(requiredServer('sshd', hasSshd))('a connection', () => {
  let sshd: Sshd
  let restore: () => void
  let proxy: CuttableProxy
  let remote: Remote
  beforeAll(async () => {
    sshd = await startSshd()
    restore = useHome(sshd.home)
  })
  afterAll(async () => {
    restore()
    await sshd.stop()
  })
  beforeEach(async () => {
    writeFileSync(
      join(sshd.home, '.ssh/config'),
      'HostKeyAlias here\nServerAliveInterval 1\nServerAliveCountMax 2\n',
    )
    writeFileSync(join(sshd.home, '.ssh/known_hosts'), `here ${sshd.hostKeys.ed25519}\n`)
    proxy = await startCuttableProxy(sshd.port)
    remote = await createSshRemote({ ...sshd.place(sshd.makeFolder()), port: proxy.port })
  })
  afterEach(() => proxy.close())

  test('is made by the first request, and is one for all', async () => {
    expect(proxy.count()).toBe(0)
    await Promise.all(Array.from({ length: 30 }, (_, at) => remote.write(`k${at}`, sourceOf('x'))))
    expect(await keysOf(remote, 'k')).toHaveLength(30)
    expect(proxy.count()).toBe(1)
  })

  test('that was lost is made again by the next request', async () => {
    await remote.write('a', sourceOf('x'))
    proxy.cut()
    await expect.poll(() => remote.stat('a').catch(() => undefined)).toMatchObject({ sizeBytes: 1 })
    expect((await readBytes(remote, 'a')).toString()).toBe('x')
    expect(proxy.count()).toBe(2)
  })

  test('that was lost is made again once by many requests', async () => {
    await remote.write('a', sourceOf('x'))
    proxy.cut()
    await expect.poll(() => remote.stat('a').catch(() => undefined)).toBeDefined()
    const values = await Promise.all(Array.from({ length: 20 }, () => readBytes(remote, 'a')))
    expect(values.every((value) => value.toString() === 'x')).toBe(true)
    expect(proxy.count()).toBe(2)
  })

  test('that is lost under a stream ends it with an error that may be tried again', async () => {
    await remote.write('a', sourceOf(someBytes(8 * MEBIBYTE)))
    const stream = await remote.read('a')
    const reading = (async () => {
      for await (const _piece of stream) proxy.cut()
    })()
    await expect(reading).rejects.toMatchObject(LOST)
  })

  test('that is lost under a write leaves no value, and the write may be tried again', async () => {
    const source = stallingSource({
      claimedBytes: 3 * MEBIBYTE,
      bytes: someBytes(2 * MEBIBYTE),
      stalled: () => proxy.cut(),
    })
    const bytes = someBytes(3 * MEBIBYTE)
    await remote.write('old', sourceOf('x'))
    // The source stalls for ever: only the signal ends a write whose source gives nothing.
    const controller = new AbortController()
    const writing = remote.write('a', source, { signal: controller.signal })
    await expect.poll(() => remote.stat('old').catch(() => undefined)).toBeDefined()
    controller.abort()
    await expect(writing).rejects.toMatchObject({ code: expect.stringMatching(/INTERRUPTED|REMOTE_FAILED/) })
    expect(await remote.stat('a')).toBeUndefined()
    await remote.write('a', sourceOf(bytes))
    expect((await readBytes(remote, 'a')).equals(bytes)).toBe(true)
  })

  test('on which the server falls silent is given up, and made again', async () => {
    await remote.write('a', sourceOf('x'))
    proxy.stall()
    await expect(remote.stat('a')).rejects.toMatchObject(LOST)
    proxy.heal()
    expect(await remote.stat('a')).toMatchObject({ sizeBytes: 1 })
  })

  test('on which the server falls silent does not hold who gives up', async () => {
    writeFileSync(join(sshd.home, '.ssh/config'), 'HostKeyAlias here\nServerAliveInterval 1h\n')
    const patient = await createSshRemote({ ...sshd.place(sshd.makeFolder()), port: proxy.port })
    await patient.write('a', sourceOf(someBytes(8 * MEBIBYTE)))
    const stream = await patient.read('a')
    proxy.stall()
    const interrupted = { code: 'INTERRUPTED' }
    for (const act of [
      (signal: AbortSignal) => patient.read('a', { signal }),
      (signal: AbortSignal) => patient.write('b', sourceOf('x'), { signal }),
      (signal: AbortSignal) => patient.write('b', sourceOf('x'), { signal, ifAbsent: true }),
    ]) {
      const controller = new AbortController()
      const acting = act(controller.signal)
      setImmediate(() => controller.abort())
      await expect(acting).rejects.toMatchObject(interrupted)
    }
    stream.destroy()
    await once(stream, 'close')
  })

  test('to a host that is down for a moment may be tried again', async () => {
    await remote.write('a', sourceOf('x'))
    const { port } = proxy
    await proxy.close()
    await expect
      .poll(() => remote.stat('a').catch((error: unknown) => error))
      .toMatchObject({
        code: 'REMOTE_UNREACHABLE',
        retryable: true,
        message: `127.0.0.1 port ${port} refuses connections`,
      })
    proxy = await startCuttableProxy(sshd.port)
  })
})

test.runIf(requiredServer('sshd', hasSshd))('a server that has no SFTP says so', async () => {
  const sshd = await startSshd({ subsystem: '/bin/false' })
  const restore = useHome(sshd.home)
  try {
    const remote = await createSshRemote(sshd.place(sshd.makeFolder()))
    await expect(remote.stat('a')).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining('the server opens no SFTP channel'),
      hint: expect.stringContaining(`sftp -P ${sshd.port} ${sshd.user}@127.0.0.1`),
    })
  } finally {
    restore()
    await sshd.stop()
  }
})

test.runIf(requiredServer('sshd', hasSshd))('a server whose login scripts print text', async () => {
  const sshd = await startSshd({ config: ['ForceCommand echo Welcome to this server'] })
  const restore = useHome(sshd.home)
  try {
    const remote = await createSshRemote(sshd.place(sshd.makeFolder()))
    await expect(remote.stat('a')).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: 'the server sends text where SFTP should begin',
      hint: expect.stringContaining('.bashrc'),
    })
  } finally {
    restore()
    await sshd.stop()
  }
})
