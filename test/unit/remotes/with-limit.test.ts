import { once } from 'node:events'
import { Readable } from 'node:stream'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { withLimit } from '../../../remotes/with-limit.ts'
import { entriesOf, keysOf, readBytes, someBytes, sourceOf } from '../../contract/sources.ts'
import { createFaultyRemote, passingError } from '../../support/faulty-remote.ts'

let inner: Remote
beforeEach(async () => {
  inner = createMemoryRemote()
  await inner.write('key', sourceOf(someBytes(500_000)))
})

/** Counts what is under way at once: a read until its stream is closed. */
function measured(remote: Remote): { remote: Remote; seen: { now: number; most: number } } {
  const seen = { now: 0, most: 0 }
  const begin = () => {
    seen.now++
    seen.most = Math.max(seen.most, seen.now)
  }
  const during = async <T>(request: () => Promise<T>): Promise<T> => {
    begin()
    try {
      await new Promise(setImmediate)
      return await request()
    } finally {
      seen.now--
    }
  }
  return {
    seen,
    remote: {
      ...remote,
      stat: (key) => during(() => remote.stat(key)),
      async read(key, options) {
        const end = () => void seen.now--
        begin()
        try {
          const stream = await remote.read(key, options)
          if (stream.closed) end()
          else stream.once('close', end)
          return stream
        } catch (error) {
          end()
          throw error
        }
      },
      write: (key, source, options) => during(() => remote.write(key, source, options)),
      async *list(prefix) {
        const entries = remote.list(prefix)[Symbol.asyncIterator]()
        for (;;) {
          const next = await during(() => entries.next())
          if (next.done) return
          yield next.value
        }
      },
      remove: (key) => during(() => remote.remove(key)),
    },
  }
}

/** Whether so many requests can still be made at once; a slot that leaked is missing. */
async function expectAllSlots(remote: Remote, seen: { now: number; most: number }, most: number) {
  seen.most = 0
  await Promise.all(Array.from({ length: most * 4 }, () => remote.stat('key')))
  expect(seen).toEqual({ now: 0, most })
}

test('never more at once than the most, whatever the verbs', async () => {
  const { remote: counted, seen } = measured(inner)
  const remote = withLimit(counted, { most: 3 })
  const verbs = [
    () => remote.stat('key'),
    () => readBytes(remote, 'key'),
    () => remote.write('other', sourceOf(someBytes(100_000))),
    () => entriesOf(remote, ''),
    () => remote.remove('absent'),
  ]
  await Promise.all(Array.from({ length: 50 }, (_, at) => verbs[at % verbs.length]!()))
  expect(seen).toEqual({ now: 0, most: 3 })
})

test('a read holds its slot until its last byte', async () => {
  const { remote: counted, seen } = measured(inner)
  const remote = withLimit(counted, { most: 1 })
  const stream = await remote.read('key')
  const looking = remote.stat('key')
  await new Promise(setImmediate)
  expect(seen.most).toBe(1)
  stream.resume()
  await looking
  expect(seen).toEqual({ now: 0, most: 1 })
})

test('a listing holds none while its reader has an entry', async () => {
  for (const key of ['a', 'b', 'c']) await inner.write(key, sourceOf('x'))
  const remote = withLimit(inner, { most: 1 })
  for await (const { key } of remote.list('')) await remote.remove(key)
  expect(await keysOf(inner, '')).toEqual([])
})

describe('no slot is lost', () => {
  let remote: Remote
  let seen: { now: number; most: number }
  const use = (under: Remote) => {
    const counted = measured(under)
    seen = counted.seen
    remote = withLimit(counted.remote, { most: 2 })
  }

  test('to streams that are destroyed before they are read, or half-way', async () => {
    use(inner)
    for (let round = 0; round < 5; round++) {
      const unread = await remote.read('key')
      unread.destroy()
      await once(unread, 'close')
      for await (const _piece of await remote.read('key')) break
    }
    await expectAllSlots(remote, seen, 2)
  })

  test('to streams that break', async () => {
    use(createFaultyRemote(inner, { breakOff: () => ({ after: 100_000, error: passingError() }) }))
    for (let round = 0; round < 5; round++) await expect(readBytes(remote, 'key')).rejects.toThrow()
    await expectAllSlots(remote, seen, 2)
  })

  test('to streams that are closed before they are given', async () => {
    use({
      ...inner,
      async read() {
        const stream = Readable.from([])
        stream.destroy()
        await once(stream, 'close')
        return stream
      },
    })
    for (let round = 0; round < 5; round++) await remote.read('key')
    await expectAllSlots(remote, seen, 2)
  })

  test('to requests that fail', async () => {
    let isFailing = true
    const fail = () => (isFailing ? passingError() : undefined)
    use(createFaultyRemote(inner, { fail }))
    for (let round = 0; round < 3; round++) {
      await expect(remote.stat('key')).rejects.toThrow()
      await expect(remote.read('key')).rejects.toThrow()
      await expect(remote.write('x', sourceOf('x'))).rejects.toThrow()
      await expect(entriesOf(remote, '')).rejects.toThrow()
      await expect(remote.remove('key')).rejects.toThrow()
    }
    isFailing = false
    await expectAllSlots(remote, seen, 2)
  })

  test('to a listing that is left', async () => {
    use(inner)
    for (let round = 0; round < 5; round++) for await (const _entry of remote.list('')) break
    await expectAllSlots(remote, seen, 2)
  })
})

describe('a remote that asks for fewer requests', () => {
  test('gets half as many, once for a burst of refusals, and slowly more again', async () => {
    let isBusy = true
    const { remote: counted, seen } = measured({
      ...inner,
      async stat(key) {
        if (isBusy) throw passingError('REMOTE_BUSY')
        return inner.stat(key)
      },
    })
    const remote = withLimit(counted, { most: 8 })
    const ask = (count: number) => Promise.allSettled(Array.from({ length: count }, () => remote.stat('key')))
    await ask(8)
    isBusy = false
    seen.most = 0
    await ask(4)
    expect(seen.most).toBe(4)
    await ask(400)
    expect(seen.most).toBe(8)
  })

  test('may also say so in the middle of a read', async () => {
    const { remote: counted, seen } = measured(
      createFaultyRemote(inner, {
        breakOff: () => ({ after: 1000, error: passingError('REMOTE_BUSY') }),
      }),
    )
    const remote = withLimit(counted, { most: 8 })
    await expect(readBytes(remote, 'key')).rejects.toMatchObject({ code: 'REMOTE_BUSY' })
    seen.most = 0
    await Promise.all(Array.from({ length: 8 }, () => remote.stat('key')))
    expect(seen.most).toBe(4)
  })
})
