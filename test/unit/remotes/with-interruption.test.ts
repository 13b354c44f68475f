import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { Remote } from '../../../core/remote.ts'
import { createMemoryRemote } from '../../../remotes/memory.ts'
import { withInterruption } from '../../../remotes/with-interruption.ts'
import { bytesOf, keysOf, sourceOf } from '../../contract/sources.ts'
import { varveErrorFrom } from '../../support/varve-error.ts'

const never = () => new Promise<never>(() => undefined)

/** Takes every request, and answers none. */
const silent: Remote = {
  label: 'silent',
  stat: never,
  read: never,
  write: never,
  async *list() {
    yield await never()
  },
  remove: never,
}

const verbs: [string, (remote: Remote) => Promise<unknown>][] = [
  ['stat', (remote) => remote.stat('key')],
  ['read', (remote) => remote.read('key')],
  ['write', (remote) => remote.write('key', sourceOf('x'))],
  ['list', (remote) => keysOf(remote, '')],
  ['remove', (remote) => remote.remove('key')],
]

describe.each(verbs)('%s of a remote that does not answer', (_verb, ask) => {
  test('ends with the interruption', async () => {
    const controller = new AbortController()
    const asking = ask(withInterruption(silent, controller.signal))
    setImmediate(() => controller.abort())
    expect((await varveErrorFrom(asking)).code).toBe('INTERRUPTED')
  })

  test('after the interruption is given a moment and no more', async () => {
    const remote = withInterruption(silent, AbortSignal.abort(), { graceMs: 5 })
    expect((await varveErrorFrom(ask(remote))).code).toBe('INTERRUPTED')
  })
})

test('what tidies up after the interruption is done', async () => {
  const inner = createMemoryRemote()
  const controller = new AbortController()
  const remote = withInterruption(inner, controller.signal)
  await remote.write('key', sourceOf('x'))
  controller.abort()
  expect(await keysOf(remote, '')).toEqual(['key'])
  await remote.remove('key')
  expect(await keysOf(inner, '')).toEqual([])
})

test('a read that has begun is ended', async () => {
  const controller = new AbortController()
  const stream = new Readable({ read() {} })
  stream.push('first')
  const inner = { ...createMemoryRemote(), read: async () => stream }
  const read = await withInterruption(inner, controller.signal).read('key')
  const reading = bytesOf(read)
  setImmediate(() => controller.abort())
  expect((await varveErrorFrom(reading)).code).toBe('INTERRUPTED')
  expect(stream.destroyed).toBe(true)
})

test('a request that fails after the interruption is no unhandled rejection', async () => {
  const controller = new AbortController()
  let fail: (error: Error) => void = () => undefined
  const failing = new Promise<never>((_, reject) => {
    fail = reject
  })
  const inner = { ...silent, stat: () => failing }
  const asking = withInterruption(inner, controller.signal).stat('key')
  controller.abort()
  expect((await varveErrorFrom(asking)).code).toBe('INTERRUPTED')
  fail(new Error('too late'))
  await new Promise(setImmediate)
})
