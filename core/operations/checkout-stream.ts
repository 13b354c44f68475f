import { fetchVersions } from '../transfer/fetch/fetch-versions.ts'
import { findMissingMetadata } from '../transfer/fetch/missing-entries.ts'
import { RemoteChunks } from '../transfer/fetch/remote-chunks.ts'
import type { RemoteView } from '../transfer/view/remote-view.ts'
import { applyCheckout } from '../workspace/apply-checkout.ts'
import { FilePlacer } from '../workspace/file-placer.ts'
import type { CheckoutPlan } from '../workspace/plan-checkout.ts'
import { DEFAULT_JOBS, refuseWithoutRemote } from './fetch-listings.ts'
import type { Selected } from './select-tracked.ts'
import { type Version, versionsOf } from './versions-in.ts'
import type { Workbench } from './workbench.ts'

export type Streamed = {
  remote: string
  versions: number
  /** Packs that went into the store: of metadata, and what is in them. */
  packs: number
  bytes: number
  /** Bytes of data that went straight into the workspace. */
  streamedBytes: number
}

/**
 * The remote's side of a checkout whose bytes go straight into the workspace. The store gets listings and recipes, which
 * are small and which every later command needs; and no data.
 */
export class CheckoutStream {
  readonly #workbench: Workbench
  readonly #remoteName: string | undefined
  readonly #jobs: number
  readonly #fetched = { packs: 0, bytes: 0 }
  #view: RemoteView | undefined
  #versions = 0
  #plan: CheckoutPlan | undefined
  #placer: FilePlacer | undefined

  constructor(
    workbench: Workbench,
    { remoteName, jobs }: { remoteName?: string | undefined; jobs?: number | undefined },
  ) {
    this.#workbench = workbench
    this.#remoteName = remoteName
    this.#jobs = jobs ?? DEFAULT_JOBS
  }

  get result(): Streamed {
    const remote = this.#workbench.remote(this.#remoteName).remote.label
    const streamedBytes = this.#placer?.receivedBytes ?? 0
    return { remote, versions: this.#versions, ...this.#fetched, streamedBytes }
  }

  /** What a plan needs. Where nothing of it is missing, the remote is not asked. @throws MISSING_BYTES, CORRUPT */
  async fetchListings(selected: readonly Selected[]): Promise<void> {
    const versions = versionsOf(selected)
    this.#versions = versions.length
    if (findMissingMetadata(this.#workbench.store, versions).length > 0) await this.#fetchMetadata(versions)
  }

  /** Finds all that the plan is to write; nothing is written. @throws MISSING_BYTES, CORRUPT */
  async locate(selected: readonly Selected[], plan: CheckoutPlan): Promise<void> {
    const { root, store, cache, workers, onProgress, signal } = this.#workbench
    this.#plan = plan
    if (plan.write.every(({ digest }) => store.hasBlob(digest))) return
    const versions = versionsOf(selected)
    const view = this.#view ?? (await this.#fetchMetadata(versions))
    const ids = versions.map(({ id }) => id)
    const source = new RemoteChunks({ store, view, workers, ids, jobs: this.#jobs, signal })
    const files = plan.write
    this.#placer = await FilePlacer.prepare({
      ...{ root, store, cache, workers, files, source, onProgress, signal },
    })
  }

  /** Carries out the plan. @throws what `applyCheckout` and `FilePlacer` throw */
  async write(): Promise<void> {
    const { root, store, cache, workers, onProgress, signal } = this.#workbench
    const placer = this.#placer
    await applyCheckout({
      ...{ root, store, cache, workers, onProgress, signal },
      plan: this.#plan!,
      writeFiles: placer && (() => placer.write()),
    })
  }

  async #fetchMetadata(versions: readonly Version[]): Promise<RemoteView> {
    const { store, workers, onProgress, signal } = this.#workbench
    const paths = versions.map(({ path }) => path)
    refuseWithoutRemote(this.#workbench, paths, this.#remoteName)
    const view = this.#workbench.remote(this.#remoteName)
    await view.refreshRecords(signal)
    const { packs, bytes } = await fetchVersions({
      ...{ store, view, workers, versions, onProgress, signal },
      metadataOnly: true,
      jobs: this.#jobs,
    })
    this.#fetched.packs += packs
    this.#fetched.bytes += bytes
    this.#view = view
    return view
  }
}
