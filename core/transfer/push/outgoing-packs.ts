import { createReadStream } from 'node:fs'
import {
  countTableEntries,
  type PackClass,
  type PackEntry,
  type PackName,
  TARGET_PACK_BYTES,
} from '../../format/pack.ts'
import { PackReader } from '../../store/pack-reader.ts'
import { PackWriter, type SealedPack } from '../../store/pack-writer.ts'
import type { Store } from '../../store/store.ts'
import { packPath } from '../../store/store-layout.ts'
import { checkEntry, checkedPack } from './checked-pack.ts'
import { PackSizer } from './pack-sizer.ts'
import type { PushPlanner } from './push-planner.ts'

const READING = { highWaterMark: 1 << 20 }

export type OutgoingPack = SealedPack & {
  /** The local packs whose entries it carries. */
  sources: Set<PackName>
  /** Cut for this push: its file goes when it is sent. */
  isCut: boolean
  path: string
  /** Its bytes; can be asked for again. */
  pieces: () => AsyncIterable<Buffer>
}

/**
 * The packs of a push, one after the other. Local ones go as they are where all in them is wanted, and cutting would not
 * make them fewer: they are at least half full, or there is nothing to join them with. New ones are cut from the rest,
 * so that nothing leaves that was not asked for.
 * Every stored byte is checked against its checksum on the way. @throws CORRUPT
 */
export function* outgoingPacks(options: {
  store: Store
  planner: PushPlanner
  /** Where packs are cut. */
  folder: string
  /** A name that the remote has buried is not sent again: its entries go under a new one. */
  isTombstoned: (pack: PackName) => boolean
  /** Only says what packs there would be: those to be cut have their sizes, and neither file nor pieces. */
  isRehearsal?: boolean | undefined
}): Generator<OutgoingPack> {
  const cutting = { data: new Cutter(options, 'data'), metadata: new Cutter(options, 'metadata') }
  try {
    yield* cutPacks(options, cutting)
  } finally {
    cutting.data.discard()
    cutting.metadata.discard()
  }
}

function* cutPacks(
  { store, planner, isTombstoned }: Parameters<typeof outgoingPacks>[0],
  cutting: Record<PackClass, Cutter>,
): Generator<OutgoingPack> {
  const toCut: Record<PackClass, PackName[]> = { data: [], metadata: [] }
  const isWhole = (name: PackName) =>
    planner.sources.get(name)!.entries === countTableEntries(store.packs.readFooter(name).footer) &&
    !isTombstoned(name)
  for (const name of planner.sources.keys()) {
    const packClass = store.packs.classOf(name)
    const isHalfFull = store.packs.readFooter(name).sizeBytes >= TARGET_PACK_BYTES[packClass] / 2
    if (isHalfFull && isWhole(name)) yield asItIs(store, name, packClass)
    else toCut[packClass].push(name)
  }
  for (const packClass of ['data', 'metadata'] as const) {
    const [only, ...others] = toCut[packClass]
    if (only !== undefined && others.length === 0 && isWhole(only)) {
      yield asItIs(store, only, packClass)
      continue
    }
    for (const name of toCut[packClass]) {
      for (const entry of store.packs.readTable(name).entries) {
        if (planner.isToSend(entry.kind, entry.digest, name)) yield* cutting[packClass].take(name, entry)
      }
    }
    yield* cutting[packClass].finish()
  }
}

function asItIs(store: Store, name: PackName, packClass: PackClass): OutgoingPack {
  const { sizeBytes, footer } = store.packs.readFooter(name)
  return {
    name,
    class: packClass,
    sizeBytes,
    tailBytes: sizeBytes - footer.tableOffset,
    rows: store.packs.readRows(name),
    sources: new Set([name]),
    isCut: false,
    path: packPath(store.root, name),
    pieces: () => checkedPack(store.packs, store.root, name),
  }
}

/** What entries are put into, one after the other: `PackWriter`, or `PackSizer` where nothing is to be written. */
type PackMaker = { take(from: PackName, entry: PackEntry): void; seal(): void; discard(): void }

class Cutter {
  readonly #folder: string
  readonly #maker: PackMaker
  #sources = new Set<PackName>()
  #sealed: OutgoingPack[] = []

  constructor(
    { store, folder, isRehearsal }: { store: Store; folder: string; isRehearsal?: boolean | undefined },
    packClass: PackClass,
  ) {
    this.#folder = folder
    const making = { class: packClass, onSealed: (pack: SealedPack) => this.#onSealed(pack) }
    this.#maker = isRehearsal ? sizing(making) : writing(store, { root: folder, ...making })
  }

  *take(from: PackName, entry: PackEntry): Generator<OutgoingPack> {
    this.#sources.add(from)
    this.#maker.take(from, entry)
    yield* this.#sealed.splice(0)
  }

  *finish(): Generator<OutgoingPack> {
    this.#maker.seal()
    yield* this.#sealed.splice(0)
  }

  discard(): void {
    this.#maker.discard()
  }

  #onSealed(pack: SealedPack): void {
    const path = packPath(this.#folder, pack.name)
    this.#sealed.push({
      ...pack,
      sources: this.#sources,
      isCut: true,
      path,
      pieces: () => createReadStream(path, READING),
    })
    this.#sources = new Set()
  }
}

function writing(store: Store, options: ConstructorParameters<typeof PackWriter>[0]): PackMaker {
  const writer = new PackWriter(options)
  return {
    take(from, entry) {
      const stored = store.packs.read(from, entry.offset, entry.storedBytes)
      checkEntry(from, entry, stored)
      writer.appendStored(entry, stored)
    },
    seal: () => writer.seal(),
    discard: () => writer.discard(),
  }
}

function sizing(options: ConstructorParameters<typeof PackSizer>[0]): PackMaker {
  const sizer = new PackSizer(options)
  return { take: (_from, entry) => sizer.take(entry), seal: () => sizer.seal(), discard() {} }
}

/** The tail (table and footer) of a pack file. */
export function readTail(
  folder: string,
  pack: { name: PackName; sizeBytes: number; tailBytes: number },
): Buffer {
  const packs = new PackReader(folder)
  try {
    return packs.read(pack.name, pack.sizeBytes - pack.tailBytes, pack.tailBytes)
  } finally {
    packs.close()
  }
}
