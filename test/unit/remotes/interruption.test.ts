import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import { destroyOnAbort, throwIfAborted } from '../../../remotes/interruption.ts'
import { bytesOf } from '../../contract/sources.ts'

test('an abort is INTERRUPTED and says what was being done', () => {
  const signal = AbortSignal.abort()
  expect(() => throwIfAborted(signal, 'reading x')).toThrow(
    expect.objectContaining({ code: 'INTERRUPTED', message: 'interrupted while reading x' }),
  )
  expect(() => throwIfAborted(undefined, 'reading x')).not.toThrow()
  expect(() => throwIfAborted(new AbortController().signal, 'reading x')).not.toThrow()
})

test('an abort for a reason that is an error of ours is that error', async () => {
  const reason = new VarveError('NO_SPACE', 'no space left elsewhere')
  expect(() => throwIfAborted(AbortSignal.abort(reason), 'reading x')).toThrow(reason)
  const stream = new PassThrough()
  destroyOnAbort(stream, AbortSignal.abort(reason), 'reading x')
  await expect(bytesOf(stream)).rejects.toBe(reason)
})

test('an abort before anyone reads is met by who reads later', async () => {
  const controller = new AbortController()
  const stream = new PassThrough()
  destroyOnAbort(stream, controller.signal, 'reading x')
  const closed = new Promise((resolve) => stream.once('close', resolve))
  controller.abort()
  await closed
  await expect(bytesOf(stream)).rejects.toMatchObject({ code: 'INTERRUPTED' })
})

test('one signal serves many streams without a warning', async () => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const controller = new AbortController()
  const streams = Array.from({ length: 30 }, () => Readable.from(['x']))
  for (const stream of streams) destroyOnAbort(stream, controller.signal, 'reading x')
  await Promise.all(streams.map((stream) => once(stream.resume(), 'close')))
  process.off('warning', note)
  expect(warnings).toEqual([])
})
