import { join } from 'node:path'
import type { TreeEntry } from '../../core/format/tree.ts'
import { PathFilter } from '../../core/path-filter.ts'
import { Store } from '../../core/store/store.ts'
import { StoreWriter } from '../../core/store/store-writer.ts'
import { createWorkers, type Workers } from '../../core/workers/workers.ts'
import { applyCheckout } from '../../core/workspace/apply-checkout.ts'
import { compareWorkspace } from '../../core/workspace/compare-workspace.ts'
import { type CheckoutPlan, planCheckout } from '../../core/workspace/plan-checkout.ts'
import { scanPath } from '../../core/workspace/scan-path.ts'
import { takeSnapshots } from '../../core/workspace/snapshot.ts'
import { StatCache } from '../../core/workspace/stat-cache.ts'
import { makeFolder } from './git-fixture.ts'

type Part = { paths?: readonly string[]; isLeftOut?: (path: string) => boolean }

/** The directory `data` of a workspace, with a store and a stat cache of its own; all in one thread, without git. */
export class Workspace {
  readonly root = makeFolder()
  readonly store = Store.open(join(makeFolder(), 'store'))
  readonly cache = StatCache.open(join(makeFolder(), 'stat-cache'))
  workers: Workers = createWorkers({ threads: 1 })

  scan() {
    return scanPath({ root: this.root, path: 'data' })
  }

  /** Takes what is there into the store. */
  async add(options: Part & { previous?: TreeEntry } = {}): Promise<{ entry: TreeEntry; files: number }> {
    const { root, store, cache, workers } = this
    const writer = new StoreWriter(store)
    const isLeftOut = options.isLeftOut ?? (() => false)
    const one = { path: 'data', previous: options.previous, isLeftOut }
    const [snapshot] = await takeSnapshots({ root, store, writer, cache, workers, paths: [one] })
    writer.finish()
    cache.flush()
    return snapshot!
  }

  compare(version: TreeEntry | undefined, options: Part & { digests?: 'all' | 'candidates' } = {}) {
    const { root, store, cache, workers } = this
    return compareWorkspace({
      ...{ root, store, cache, workers, version },
      path: 'data',
      scanned: this.scan(),
      filter: new PathFilter(options.paths ?? ['data']),
      isLeftOut: options.isLeftOut ?? (() => false),
      digests: options.digests ?? 'all',
    })
  }

  async plan(
    version: TreeEntry,
    options: { base?: TreeEntry; force?: boolean; isBaseElsewhere?: (path: string) => boolean } = {},
  ): Promise<CheckoutPlan> {
    const comparison = await this.compare(version)
    const { base, force = false, isBaseElsewhere } = options
    const { store } = this
    return planCheckout({ comparison, store, trackedPath: 'data', version, base, isBaseElsewhere, force })
  }

  async apply(plan: CheckoutPlan): Promise<void> {
    const { root, store, cache, workers } = this
    await applyCheckout({ root, store, cache, workers, plan })
  }
}

/** Workers that run in this thread, and tell of every question before it is answered. */
export function watchedWorkers(watch: (question: unknown) => void): Workers {
  const inner = createWorkers({ threads: 1 })
  return {
    ...inner,
    run: (task, input, answer, options) =>
      inner.run(
        task,
        input,
        (question, thread) => {
          watch(question)
          return answer(question, thread)
        },
        options,
      ),
  }
}
