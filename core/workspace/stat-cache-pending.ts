import type { Digest } from '../content-id.ts'
import { ByteWriter } from '../format/byte-writer.ts'
import { type DirectoryBlock, ENTRY_BYTES, FORGOTTEN, writeEntry } from '../format/stat-cache.ts'
import { StatTableBuilder } from '../format/stat-table.ts'
import { compareNames } from '../format/tree.ts'
import type { FileStamp } from './file-stamp.ts'

const FORGET = -1

/** A filesystem that stamps whole seconds may count in twos. */
const COARSE_TICK_MS = 2000

/** What a command has learnt and not yet written. Records lie in one buffer: a million objects would cost 400 MB. */
export class PendingStats {
  readonly #directories = new Map<string, Map<string, number>>()
  readonly #records = new ByteWriter()
  /** Of each record, by its slot: the clock must be past this for it to be believed. */
  readonly #settling: number[] = []
  #count = 0
  #lastDirectory = ''
  #lastSlots: Map<string, number> | undefined

  /** How many times something was put in. */
  get count(): number {
    return this.#count
  }

  record(path: string, stamp: FileStamp, digest: Digest): void {
    this.#put(path, this.#settling.length)
    this.#settling.push(settlesAt(stamp))
    writeEntry(this.#records, stamp, digest)
  }

  forget(path: string): void {
    this.#put(path, FORGET)
  }

  slotsOf(directory: string): ReadonlyMap<string, number> | undefined {
    return this.#directories.get(directory)
  }

  /** The latest time before `limitMs` at which a record settles. */
  latestSettling(limitMs: number): number | undefined {
    let latest: number | undefined
    for (const time of this.#settling) {
      if (time < limitMs && (latest === undefined || time > latest)) latest = time
    }
    return latest
  }

  /** Sorted blocks of all but the records that are racy by the filesystem's clock. */
  toBlocks(clockMs: number): DirectoryBlock[] {
    const records = this.#records.view()
    const blocks: DirectoryBlock[] = []
    for (const directory of [...this.#directories.keys()].sort(compareNames)) {
      const slots = this.#directories.get(directory)!
      const table = new StatTableBuilder()
      for (const name of [...slots.keys()].sort(compareNames)) {
        const slot = slots.get(name)!
        if (slot === FORGET) {
          table.add(Buffer.from(name), FORGOTTEN)
        } else if (this.#settling[slot]! < clockMs) {
          table.add(Buffer.from(name), records.subarray(slot * ENTRY_BYTES, (slot + 1) * ENTRY_BYTES))
        }
      }
      if (table.count > 0) blocks.push({ directory, block: table.finish() })
    }
    return blocks
  }

  #put(path: string, slot: number): void {
    const slash = path.lastIndexOf('/')
    const directory = slash < 0 ? '' : path.slice(0, slash)
    if (this.#lastSlots === undefined || directory !== this.#lastDirectory) {
      let slots = this.#directories.get(directory)
      if (slots === undefined) {
        slots = new Map()
        this.#directories.set(directory, slots)
      }
      this.#lastDirectory = directory
      this.#lastSlots = slots
    }
    this.#lastSlots.set(path.slice(slash + 1), slot)
    this.#count++
  }
}

/** The time that the filesystem's clock must be past before a change of the file is sure to change its stamp. */
export function settlesAt({ mtimeMs, ctimeMs }: FileStamp): number {
  const newest = Math.max(mtimeMs, ctimeMs)
  // A change time cannot be chosen, so one that falls on a whole second tells of a coarse clock.
  return ctimeMs % 1000 === 0 ? newest + COARSE_TICK_MS : newest
}
