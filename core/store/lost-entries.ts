import { type Digest, hexOf } from '../content-id.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import type { SegmentName } from '../format/segment.ts'
import { rowsInPacks } from './check-index.ts'
import type { Store } from './store.ts'

/** What is wrong in a store, by pack: all of it, or single entries. */
export type BadPacks = {
  /** Missing, or unreadable as a whole. */
  whole: ReadonlySet<PackName>
  entries: readonly { pack: PackName; kind: EntryKind; digest: Digest }[]
}

/** The entries that no place in a store has whole any more. */
export class LostEntries {
  readonly #packs = new Map<string, PackName>()
  /** The bad packs that held one of them. */
  readonly packs = new Set<PackName>()

  /** `segments` are good ones, which say what was in packs that are gone. */
  constructor(store: Store, bad: BadPacks, segments: readonly SegmentName[]) {
    const badEntries = new Set(bad.entries.map(({ pack, kind, digest }) => `${pack} ${keyOf(kind, digest)}`))
    const isGood = (pack: PackName, key: string) => !bad.whole.has(pack) && !badEntries.has(`${pack} ${key}`)
    const note = (entry: { kind: EntryKind; digest: Digest; pack: PackName }) => {
      const key = keyOf(entry.kind, entry.digest)
      for (const { pack } of store.index.findAll(entry.kind, entry.digest)) if (isGood(pack, key)) return
      this.#packs.set(key, entry.pack)
      this.packs.add(entry.pack)
    }
    for (const entry of bad.entries) note(entry)
    for (const row of rowsInPacks(store.root, segments, bad.whole)) note(row)
  }

  get count(): number {
    return this.#packs.size
  }

  /** The bad pack that the entry was in; undefined if it is not lost. */
  packOf(kind: EntryKind, digest: Digest): PackName | undefined {
    return this.#packs.size === 0 ? undefined : this.#packs.get(keyOf(kind, digest))
  }
}

export function keyOf(kind: EntryKind, digest: Digest): string {
  return `${kind} ${hexOf(digest)}`
}
