import { rmSync } from 'node:fs'
import pLimit from 'p-limit'
import type { PackName } from '../format/pack.ts'
import type { Remote } from '../remote.ts'
import type { SealedPack } from '../store/pack-writer.ts'
import { type ArrivedPack, receiveTask } from '../store/receive-task.ts'
import type { Store } from '../store/store.ts'
import { packKey, temporaryFolder } from '../store/store-layout.ts'
import { temporaryPath } from '../store/temporary-files.ts'
import { throwIfAborted, type Workers } from '../workers/workers.ts'
import { readIntoFile } from './read-whole.ts'

/** Verifying takes a thread's start: below this many bytes it is done in this one. */
const LIGHT_BYTES = 4 << 20

/**
 * Downloads whole packs, several at once, and verifies them in worker threads while the next ones come.
 * @throws NOT_FOUND, CORRUPT, HOSTILE
 */
export async function receivePacks(options: {
  remote: Remote
  store: Store
  workers: Workers
  packs: readonly { name: PackName; sizeBytes: number }[]
  jobs: number
  onPack: (pack: SealedPack) => void
  onBytes?: ((count: number) => void) | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { remote, store, workers, packs, jobs, onPack, onBytes, signal } = options
  if (packs.length === 0) return
  const temporary = packs.map(() => temporaryPath(temporaryFolder(store.root)))
  const limit = pLimit(jobs)
  const underWay = new Set<Promise<unknown>>()
  const arrivals = packs.map(({ name, sizeBytes }, index) =>
    limit(async (): Promise<ArrivedPack> => {
      throwIfAborted(signal)
      const path = temporary[index]!
      const options = { path, mostBytes: sizeBytes, ...(onBytes && { onBytes }), signal }
      const reading = readIntoFile(remote, packKey(name), options).finally(() => underWay.delete(reading))
      underWay.add(reading)
      await reading
      return { name, path, from: remote.label }
    }),
  )
  for (const arrival of arrivals) arrival.catch(() => {})
  let next = 0
  const bytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  try {
    await workers.run(
      receiveTask,
      { root: store.root },
      ({ done }) => {
        throwIfAborted(signal)
        if (done !== undefined) onPack(done)
        return arrivals[next++]
      },
      { threads: bytes < LIGHT_BYTES ? 0 : workers.threads },
    )
  } finally {
    limit.clearQueue()
    await Promise.allSettled(underWay)
    for (const path of temporary) rmSync(path, { force: true })
  }
}
