import { once } from 'node:events'
import { expect, test } from 'vitest'
import type { ProgressEvent } from '../../../../core/progress.ts'
import { SendingProgress } from '../../../../core/transfer/push/sending-progress.ts'

test('counts what is on its way; what is sent again counts once', async () => {
  const events: ProgressEvent[] = []
  const makeFile = () => ({
    sizeBytes: 3 << 20,
    async *pieces() {
      for (let i = 0; i < 6; i++) yield Buffer.alloc(1 << 19)
    },
  })
  const [a, b] = [makeFile(), makeFile()]

  const progress = new SendingProgress(5 << 20, (event) => events.push(event))
  const bytesDone = () => {
    progress.report()
    return events.at(-1)!.bytesDone!
  }
  expect(events).toEqual([{ phase: 'pushing', bytesDone: 0, bytesTotal: 5 << 20 }])
  const first = progress.open(a)
  await once(first, 'readable')
  expect(bytesDone()).toBeGreaterThan(0)
  expect(bytesDone()).toBeLessThan(3 << 20)
  first.destroy()

  // The network failed: the file is sent anew.
  await once(progress.open(a).resume(), 'close')
  expect(bytesDone()).toBe(3 << 20)
  progress.finish(a)
  expect(bytesDone()).toBe(3 << 20)

  await once(progress.open(b).resume(), 'close')
  progress.finish(b)
  progress.end()
  expect(progress.finishedBytes).toBe(6 << 20)
  // The total was an estimate: it never falls behind what was done.
  expect(events.at(-1)).toEqual({ phase: 'pushing', bytesDone: 6 << 20, bytesTotal: 6 << 20 })
})
