import type { RecordPack } from '../../format/root-record.ts'
import type { OnProgress } from '../../progress.ts'
import type { SealedPack } from '../../store/pack-writer.ts'
import { RowBuffer } from '../../store/row-buffer.ts'
import type { Store } from '../../store/store.ts'
import type { Workers } from '../../workers/workers.ts'
import type { RemoteView } from '../view/remote-view.ts'
import { receivePacks } from './receive-packs.ts'
import { type PackRange, receiveRanges } from './receive-ranges.ts'

export type FetchedBytes = { packs: number; bytes: number }

/** What arrived is indexed once it has so many rows, so that a kill costs little of it. */
const ROWS_PER_CHECKPOINT = 200_000

/** Takes packs of a remote, and parts of them, into the store, verified, and makes them findable there. */
export class StoreReceiver {
  readonly fetched: FetchedBytes = { packs: 0, bytes: 0 }
  readonly #options: {
    store: Store
    view: RemoteView
    workers: Workers
    jobs: number
    onProgress?: OnProgress | undefined
    signal?: AbortSignal | undefined
  }
  #rows = new RowBuffer()

  constructor(options: {
    store: Store
    view: RemoteView
    workers: Workers
    jobs: number
    onProgress?: OnProgress | undefined
    signal?: AbortSignal | undefined
  }) {
    this.#options = options
  }

  /** Those of the packs that are not in the store. */
  notHere(packs: readonly RecordPack[]): RecordPack[] {
    const { store } = this.#options
    const indexed = store.index.packs()
    return packs.filter(({ name }) => !indexed.has(name) || !store.packs.has(name))
  }

  /** @throws NOT_FOUND, CORRUPT, HOSTILE */
  fetchWhole(packs: readonly RecordPack[]): Promise<void> {
    const { store, view, workers, jobs, signal } = this.#options
    const bytesTotal = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const events = this.#events(bytesTotal)
    const receiving = receivePacks({ remote: view.remote, store, workers, packs, jobs, signal, ...events })
    return receiving.finally(() => this.#index())
  }

  /** @throws NOT_FOUND, CORRUPT */
  fetchRanges(ranges: readonly PackRange[]): Promise<void> {
    const { store, view, jobs, signal } = this.#options
    const bytesTotal = ranges.reduce((sum, range) => sum + (range.endExclusive - range.start), 0)
    const events = this.#events(bytesTotal)
    const receiving = receiveRanges({ remote: view.remote, store, ranges, jobs, signal, ...events })
    return receiving.finally(() => this.#index())
  }

  #events(bytesTotal: number) {
    let bytesDone = 0
    return {
      onMended: this.#options.view.onMended,
      onPack: (pack: SealedPack) => this.#keep(pack),
      onBytes: (count: number) => {
        bytesDone += count
        this.fetched.bytes += count
        this.#options.onProgress?.({ phase: 'fetching', bytesDone, bytesTotal })
      },
    }
  }

  #keep(pack: SealedPack): void {
    this.fetched.packs++
    this.#rows.addPack(pack.name, pack.rows)
    if (this.#rows.count >= ROWS_PER_CHECKPOINT) this.#index()
  }

  /** Makes findable what arrived: after a failure too, so that the next fetch need not bring it again. */
  #index(): void {
    this.#options.store.index.add(this.#rows)
    this.#rows = new RowBuffer()
  }
}
