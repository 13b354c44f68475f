import { setImmediate } from 'node:timers/promises'
import type { ContentId } from '../content-id.ts'
import type { PointerKind } from '../format/pointer.ts'
import type { OnProgress } from '../progress.ts'
import { listStoredFiles } from '../store/list-stored-files.ts'
import { type Usage, UsageCounter } from '../store/usage-counter.ts'
import { throwIfAborted } from '../workers/workers.ts'
import { type KnownVersion, listKnownVersions } from './known-versions.ts'
import { entryOf, idOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

export type PathUsage = Usage & {
  path: string
  kind: PointerKind
  id: ContentId | undefined
  sizeBytes: number
  files: number
  /** The store lacks some of it: what is missing counts in `sizeBytes` and `files` alone. */
  isPartial: boolean
}

export type Stats = {
  store: { folder: string; packs: number; packBytes: number }
  /** The version that each pointer of the working tree names, each by itself. */
  paths: PathUsage[]
  /** Every version that a pointer of the working tree, the index or any commit names, together. */
  history: Usage & {
    versions: number
    /** Those of which the store lacks something. */
    partialVersions: number
  }
}

/** Steps between two looks at the clock and at Ctrl-C. */
const STEPS_AT_ONCE = 256

/** What the store holds of this repository, and what deduplication and compression save. */
export async function stats(workbench: Workbench): Promise<Stats> {
  const { versions } = await listKnownVersions(workbench)
  const current = versions.filter(({ inWorkingTree }) => inWorkingTree)
  const progress = new CountingProgress([...current, ...versions], workbench.onProgress)
  const paths: PathUsage[] = []
  for (const version of current.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const counter = new UsageCounter(workbench.store)
    const isWhole = await count(workbench, counter, version, progress)
    const { path, pointer } = version
    const { kind, sizeBytes } = pointer
    const files = pointer.kind === 'dir' ? pointer.files : 1
    const isPartial = !isWhole
    paths.push({ path, kind, id: idOf(pointer), sizeBytes, files, isPartial, ...counter.usage })
  }

  const counter = new UsageCounter(workbench.store)
  let partialVersions = 0
  for (const version of versions) {
    if (!(await count(workbench, counter, version, progress))) partialVersions++
  }
  const { packs } = listStoredFiles(workbench.store.root)
  const packBytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  return {
    store: { folder: workbench.store.root, packs: packs.length, packBytes },
    paths,
    history: { versions: versions.length, partialVersions, ...counter.usage },
  }
}

/** Whether the store has all of the version. */
async function count(
  workbench: Workbench,
  counter: UsageCounter,
  version: KnownVersion,
  progress: CountingProgress,
): Promise<boolean> {
  const before = counter.usage.logicalBytes
  const steps = counter.add(entryOf(version))
  for (let step = 1; ; step++) {
    const { done, value } = steps.next()
    if (done) {
      progress.finish(version)
      return value
    }
    if (step % STEPS_AT_ONCE === 0) {
      progress.report(counter.usage.logicalBytes - before)
      await setImmediate()
    }
    throwIfAborted(workbench.signal)
  }
}

class CountingProgress {
  readonly #onProgress: OnProgress | undefined
  readonly #bytesTotal: number
  #finishedBytes = 0

  constructor(versions: readonly KnownVersion[], onProgress: OnProgress | undefined) {
    this.#bytesTotal = versions.reduce((sum, { pointer }) => sum + pointer.sizeBytes, 0)
    this.#onProgress = onProgress
    this.report(0)
  }

  /** With what is counted of the version that is under way. */
  report(bytes: number): void {
    this.#onProgress?.({
      phase: 'counting',
      bytesDone: this.#finishedBytes + bytes,
      bytesTotal: this.#bytesTotal,
    })
  }

  finish({ pointer }: KnownVersion): void {
    this.#finishedBytes += pointer.sizeBytes
    this.report(0)
  }
}
