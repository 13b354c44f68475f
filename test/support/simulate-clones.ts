import { contentIdFromDigest } from '../../core/content-id.ts'
import { VarveError } from '../../core/errors.ts'
import type { TreeEntry } from '../../core/format/tree.ts'
import type { Remote } from '../../core/remote.ts'
import { Store } from '../../core/store/store.ts'
import type { IndexLimits } from '../../core/transfer/view/remote-index.ts'
import { RemoteView } from '../../core/transfer/view/remote-view.ts'
import { createMemoryRemote } from '../../remotes/memory.ts'
import { addVersion, type Content } from './build-store.ts'
import { randomNumbers } from './random-numbers.ts'
import { type Clone, fetch, push, readVersion } from './remote-fixture.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

/** Two that push, and one that does not. */
export const REPOSITORIES = ['1'.repeat(32), '2'.repeat(32), '3'.repeat(32)] as const

const HOUR_MS = 3600 * 1000
/** Segments are merged, and samples written, of very little: as if all were a thousand times as large. */
export const SMALL_INDEX: Partial<IndexLimits> = {
  wholeBytes: 0,
  partBytes: 60_000,
  buildBytes: 0,
  sampledBytes: 0,
}

export type Simulated = {
  remote: Remote
  /** What was pushed to the end, by the ids of the repositories. */
  versions: { repositoryId: string; entry: TreeEntry; files: ReadonlyMap<string, string> }[]
  kills: number
  merges: number
  removals: number
}

/**
 * Clones of two repositories that push to one remote at the same time, some of them two processes of one clone, while
 * readers fetch. Every request waits until it is drawn by lot; pushes are killed before or after any one of them, and
 * begin anew; now and then hours pass on the server.
 */
export async function simulateClones(options: {
  seed: number
  clones: number
  pushes: number
}): Promise<Simulated> {
  const random = randomNumbers(options.seed)
  let time = Date.UTC(2026, 0, 1)
  const server = createMemoryRemote({ now: () => new Date(time++) })
  const lots = new Lots(random)
  const outcome: Simulated = { remote: server, versions: [], kills: 0, merges: 0, removals: 0 }
  const counted = counting(server, outcome)

  const clone = async (number: number) => {
    const repositoryId = REPOSITORIES[number % 2]!
    const folders = { store: makeTemporaryFolder(), view: makeTemporaryFolder() }
    const indexLimits = random(2) === 0 ? SMALL_INDEX : {}
    const processes = random(3) === 0 ? 2 : 1
    const runs = Array.from({ length: processes }, async (_, process) => {
      for (let i = 0; i < options.pushes; i++) {
        const label = `${number} ${process} ${i}`
        for (let isDone = false; !isDone; ) {
          const life = new Life(lots, random(3) === 0 ? random(40) : Number.POSITIVE_INFINITY)
          const remote = life.through(counted)
          const view = new RemoteView({ remote, folder: folders.view, repositoryId, indexLimits })
          const one = { store: Store.open(folders.store), view, remote }
          isDone = await pushOne(one, { label, repositoryId, random, outcome })
          if (!isDone) outcome.kills++
        }
        if (random(4) === 0) time += random(20) * HOUR_MS
        if (random(3) === 0) await readOne(lots, random, outcome)
      }
    })
    await Promise.all(runs)
  }
  await lots.during(Promise.all(Array.from({ length: options.clones }, (_, number) => clone(number))))
  return outcome
}

/** What `readVersion` gives in a new clone, by the records of the version's repository or, in `other`, by the index. */
export async function readInNewClone(
  remote: Remote,
  { entry, repositoryId }: { entry: TreeEntry; repositoryId: string },
  indexLimits: Partial<IndexLimits> = {},
): Promise<Map<string, string>> {
  const view = new RemoteView({ remote, folder: makeTemporaryFolder(), repositoryId, indexLimits })
  const clone = { store: Store.open(makeTemporaryFolder()), view, remote }
  try {
    await fetch(clone, [entry])
    return readVersion(clone.store, entry)
  } finally {
    clone.store.close()
    view.close()
  }
}

async function pushOne(
  clone: Clone,
  options: {
    label: string
    repositoryId: string
    random: (end: number) => number
    outcome: Simulated
  },
): Promise<boolean> {
  const { label, repositoryId, random, outcome } = options
  const entry = addVersion(clone.store, contentOf(label, random), label)
  try {
    await push(clone, [entry], { repositoryId })
    outcome.versions.push({ repositoryId, entry, files: readVersion(clone.store, entry) })
    return true
  } catch (error) {
    if (error instanceof VarveError && error.code === 'INTERRUPTED') return false
    throw error
  } finally {
    clone.view.close()
    clone.store.close()
  }
}

async function readOne(lots: Lots, random: (end: number) => number, outcome: Simulated): Promise<void> {
  const version = outcome.versions[random(Math.max(1, outcome.versions.length))]
  if (version === undefined) return
  const remote = new Life(lots, Number.POSITIVE_INFINITY).through(outcome.remote)
  expectSame(version, await readInNewClone(remote, version))
}

export function expectSame(version: Simulated['versions'][number], read: ReadonlyMap<string, string>): void {
  const [wanted, found] = [version.files, read].map((files) => JSON.stringify([...files].sort()))
  if (wanted === found) return
  const name = version.entry.kind === 'link' ? '' : contentIdFromDigest(version.entry.digest)
  throw new Error(`${version.entry.name} (${name}) came out as ${found}, not as ${wanted}`)
}

/** Much of it many versions share. */
function contentOf(label: string, random: (end: number) => number): Content {
  const shared = Array.from({ length: 1 + random(4) }, () => random(12))
  const files: Record<string, Content> = { own: `of ${label}` }
  for (const i of shared) files[`shared ${i}`] = `shared ${i} `.repeat(i * 50)
  if (random(4) === 0) files.folder = { deep: `deep ${random(5)}`, empty: '' }
  return files
}

/** Lets one of those that wait go on, by lot, whenever all others have come to wait. */
class Lots {
  readonly #random: (end: number) => number
  readonly #waiting: (() => void)[] = []

  constructor(random: (end: number) => number) {
    this.#random = random
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false
    const end = () => {
      isOver = true
    }
    work.then(end, end)
    while (!isOver) {
      await new Promise((resolve) => setImmediate(resolve))
      const { length } = this.#waiting
      if (length > 0) this.#waiting.splice(this.#random(length), 1)[0]!()
    }
    return work
  }
}

/** A process: after so many requests it is no more, and nothing that it had under way is done. */
class Life {
  readonly #lots: Lots
  #left: number

  constructor(lots: Lots, requests: number) {
    this.#lots = lots
    this.#left = requests
  }

  through(inner: Remote): Remote {
    const step = async () => {
      await this.#lots.turn()
      if (this.#left-- <= 0) throw new VarveError('INTERRUPTED', 'killed')
    }
    /** A kill may come before the work is done, or after it. */
    const around = async <T>(work: () => Promise<T>): Promise<T> => {
      await step()
      const result = await work()
      await step()
      return result
    }
    return {
      label: inner.label,
      stat: (key) => around(() => inner.stat(key)),
      read: (key, options) => around(() => inner.read(key, options)),
      write: (key, source, options) => around(() => inner.write(key, source, options)),
      async *list(prefix) {
        const entries = await around(async () => {
          const all = []
          for await (const entry of inner.list(prefix)) all.push(entry)
          return all
        })
        yield* entries
      },
      remove: (key) => around(() => inner.remove(key)),
    }
  }
}

function counting(inner: Remote, outcome: Simulated): Remote {
  return {
    ...inner,
    async write(key, source, options) {
      if (key.endsWith('.bundle')) outcome.merges++
      await inner.write(key, source, options)
    },
    async remove(key) {
      if (!key.endsWith('.intent')) outcome.removals++
      await inner.remove(key)
    },
  }
}
