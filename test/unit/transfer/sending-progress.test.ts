import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ProgressEvent } from '../../../core/progress.ts'
import { SendingProgress } from '../../../core/transfer/sending-progress.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'

test('counts what is on its way; what is sent again counts once', async () => {
  const events: ProgressEvent[] = []
  const folder = makeTemporaryFolder()
  const files = ['a', 'b'].map((name) => ({ path: join(folder, name), sizeBytes: 300_000 }))
  for (const { path, sizeBytes } of files) writeFileSync(path, Buffer.alloc(sizeBytes))
  const [a, b] = files as [(typeof files)[0], (typeof files)[0]]

  const progress = new SendingProgress(500_000, (event) => events.push(event))
  const bytesDone = () => {
    progress.report()
    return events.at(-1)!.bytesDone!
  }
  expect(events).toEqual([{ phase: 'pushing', bytesDone: 0, bytesTotal: 500_000 }])
  const first = progress.open(a)
  await once(first, 'readable')
  expect(bytesDone()).toBeGreaterThan(0)
  expect(bytesDone()).toBeLessThan(300_000)
  first.destroy()

  // The network failed: the file is sent anew.
  await once(progress.open(a).resume(), 'close')
  expect(bytesDone()).toBe(300_000)
  progress.finish(a)
  expect(bytesDone()).toBe(300_000)

  await once(progress.open(b).resume(), 'close')
  progress.finish(b)
  progress.end()
  expect(progress.finishedBytes).toBe(600_000)
  // The total was an estimate: it never falls behind what was done.
  expect(events.at(-1)).toEqual({ phase: 'pushing', bytesDone: 600_000, bytesTotal: 600_000 })
})
