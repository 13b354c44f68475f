import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import type { PackName } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import { IndexSet } from '../../store/index-set.ts'
import { RowBuffer, rowsOf } from '../../store/row-buffer.ts'
import type { Store } from '../../store/store.ts'
import { PackTables } from '../view/pack-tables.ts'
import type { RemoteView } from '../view/remote-view.ts'

/** What was read is indexed once it has so many rows: memory is bounded, and a kill costs little. */
const ROWS_PER_CHECKPOINT = 200_000
const PACKS_AT_ONCE = 64

/** How many versions of a path count as what the next one is made from. */
const PARENTS_PER_PATH = 2

/**
 * What lies in some packs of a remote whose index is not here: of packs that the store has under the same name, and of
 * packs whose tables were read. Kept in an index of its own.
 */
export class KnownPacks {
  readonly #store: Store
  readonly #view: RemoteView
  readonly #jobs: number
  readonly #tables: PackTables
  readonly #packs: Set<PackName>
  readonly set: IndexSet

  constructor(options: { store: Store; view: RemoteView; jobs: number }) {
    this.#store = options.store
    this.#view = options.view
    this.#jobs = options.jobs
    this.#tables = new PackTables(options.view)
    this.set = new IndexSet(options.view.segments.knownFolder)
    this.#packs = this.set.packs()
    this.#addOwn()
  }

  /** Those of the packs of which nothing is known yet. */
  lacking(packs: Iterable<RecordPack>): RecordPack[] {
    const indexed = this.#view.index.packs()
    return [...packs].filter(({ name }) => !this.#packs.has(name) && !indexed.has(name))
  }

  /** Reads the tables of packs; gives those that have gone. @throws CORRUPT, MALFORMED */
  async add(packs: readonly RecordPack[]): Promise<PackName[]> {
    const limit = pLimit(this.#jobs)
    const gone: PackName[] = []
    let rows = new RowBuffer()
    const read = async (pack: RecordPack) => {
      try {
        const [table] = await this.#tables.readAll([pack], 1)
        rows.addPack(pack.name, rowsOf(table!.entries))
        this.#packs.add(pack.name)
      } catch (error) {
        if (!(error instanceof VarveError) || error.code !== 'NOT_FOUND') throw error
        gone.push(pack.name)
      }
    }
    for (let first = 0; first < packs.length; first += PACKS_AT_ONCE) {
      const some = packs.slice(first, first + PACKS_AT_ONCE)
      await Promise.all(some.map((pack) => limit(() => read(pack))))
      if (rows.count < ROWS_PER_CHECKPOINT) continue
      this.set.add(rows)
      rows = new RowBuffer()
    }
    this.set.add(rows)
    return gone
  }

  close(): void {
    this.set.close()
  }

  /** Packs of this repository's records that the store has too: they cost no request. */
  #addOwn(): void {
    let rows = new RowBuffer()
    for (const { name } of this.lacking(this.#view.recordedPacks.values())) {
      if (!this.#store.packs.has(name)) continue
      try {
        rows.addPack(name, this.#store.packs.readRows(name))
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        // A damaged copy tells nothing of the remote's.
        continue
      }
      this.#packs.add(name)
      if (rows.count < ROWS_PER_CHECKPOINT) continue
      this.set.add(rows)
      rows = new RowBuffer()
    }
    this.set.add(rows)
  }
}

/** The packs of the versions that were pushed last of these paths. */
export function parentPacks(view: RemoteView, paths: Iterable<string>): RecordPack[] {
  const left = new Map<string, number>()
  for (const path of paths) left.set(path, PARENTS_PER_PATH)
  const packs = new Map<PackName, RecordPack>()
  const newestFirst = [...view.records.values()].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  for (const record of newestFirst) {
    for (const pointer of record.pointers) {
      const count = left.get(pointer.path) ?? 0
      if (count === 0) continue
      left.set(pointer.path, count - 1)
      for (const index of pointer.packs) packs.set(record.packs[index]!.name, record.packs[index]!)
    }
  }
  return [...packs.values()]
}
