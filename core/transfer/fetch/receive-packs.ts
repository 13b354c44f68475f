import { rmSync } from 'node:fs'
import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import type { PackName } from '../../format/pack.ts'
import type { Remote } from '../../remote.ts'
import type { SealedPack } from '../../store/pack-writer.ts'
import { type ArrivedPack, type ReceiveOutcome, receiveTask } from '../../store/receive-task.ts'
import type { Store } from '../../store/store.ts'
import { packKey, packPath, temporaryFolder } from '../../store/store-layout.ts'
import { temporaryPath } from '../../store/temporary-files.ts'
import { interrupted, throwIfAborted, type Workers } from '../../workers/workers.ts'
import { readIntoFile } from '../objects/read-whole.ts'
import { isDamage, MOST_COPIES, type OnMended, untilUndamaged } from '../objects/until-undamaged.ts'

/** Verifying takes a thread's start: below this many bytes it is done in this one. */
const LIGHT_BYTES = 4 << 20

/**
 * Downloads whole packs, several at once, and verifies them in worker threads while the next ones come. One that comes
 * damaged is downloaded again.
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
  onMended?: OnMended | undefined
  signal?: AbortSignal | undefined
}): Promise<void> {
  const { remote, store, workers, packs, jobs, onPack, onBytes, onMended, signal } = options
  if (packs.length === 0) return
  const sizes = new Map(packs.map(({ name, sizeBytes }) => [name, sizeBytes]))
  const damages = new Map<PackName, VarveError[]>()
  const temporary: string[] = []
  const limit = pLimit(jobs)
  const underWay = new Set<Promise<unknown>>()

  let isOver = false

  async function download(name: PackName): Promise<ArrivedPack> {
    throwIfAborted(signal)
    if (isOver) throw interrupted()
    const path = temporaryPath(temporaryFolder(store.root))
    temporary.push(path)
    const reading = readIntoFile(remote, packKey(name), {
      path,
      mostBytes: sizes.get(name)!,
      ...(onBytes && { onBytes }),
      signal,
    }).finally(() => underWay.delete(reading))
    underWay.add(reading)
    await reading
    return { name, path, isInStore: false }
  }

  function arrivalOf(name: PackName): Promise<ArrivedPack> {
    const arrival = limit(() => untilUndamaged(() => download(name), onMended))
    arrival.catch(() => {})
    return arrival
  }

  // One that arrived in a run that was cut off may lie there without being in the index. It is verified like the others:
  // one that is damaged is left out of the index, too.
  const arrivals = packs.map(({ name }) =>
    store.packs.has(name)
      ? Promise.resolve({ name, path: packPath(store.root, name), isInStore: true })
      : arrivalOf(name),
  )
  let next = 0

  function note(outcome: ReceiveOutcome): void {
    if (outcome.type === 'taken') {
      const damage = damages.get(outcome.pack.name)?.at(-1)
      if (damage !== undefined) onMended?.(damage)
      onPack(outcome.pack)
      return
    }
    const { name, wasInStore, code, message } = outcome
    if (wasInStore) {
      arrivals.push(arrivalOf(name))
      return
    }
    const what = message.startsWith(`pack ${name}`) ? message : `pack ${name}: ${message}`
    const error = new VarveError(code, `${remote.label}: ${what}`, {
      hint: `Run the command again; if it stays so, remove ${packKey(name)} from the remote and run \`varve push --all\` in a clone that has the data.`,
    })
    const known = [...(damages.get(name) ?? []), error]
    if (known.length === MOST_COPIES || !isDamage(error)) throw error
    damages.set(name, known)
    arrivals.push(arrivalOf(name))
  }

  const bytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  try {
    await workers.run(
      receiveTask,
      { root: store.root },
      ({ last }) => {
        throwIfAborted(signal)
        if (last !== undefined) note(last)
        // Nothing is skipped: what another thread finds damaged is added after this one was told that there is no more.
        return next < arrivals.length ? arrivals[next++] : undefined
      },
      { threads: bytes < LIGHT_BYTES ? 0 : workers.threads },
    )
  } finally {
    isOver = true
    limit.clearQueue()
    await Promise.allSettled(underWay)
    for (const path of temporary) rmSync(path, { force: true })
  }
}
