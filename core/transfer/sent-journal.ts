import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import {
  decodePackFooter,
  type EntryKind,
  isPackName,
  PACK_FOOTER_BYTES,
  type PackClass,
  type PackName,
  verifyPackTable,
} from '../format/pack.ts'
import type { Remote } from '../remote.ts'
import { IndexSet } from '../store/index-set.ts'
import { RowBuffer, rowsOf } from '../store/row-buffer.ts'
import type { Location } from '../store/segment-reader.ts'
import { packKey } from '../store/store-layout.ts'
import { writeFileDurably } from '../store/write-file-durably.ts'

export type SentPack = {
  name: PackName
  class: PackClass
  sizeBytes: number
  tailBytes: number
  rows: Uint8Array
}

/**
 * The packs that a push which has not ended was to send: their tables, kept until it does, so that a push that was cut
 * off finds those that arrived.
 */
export class SentJournal {
  readonly #folder: string
  readonly #packs = new Map<PackName, SentPack>()
  #index: IndexSet | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Reads what an earlier push left, and asks the remote which of it is still there. */
  static async open(folder: string, remote: Remote): Promise<SentJournal> {
    const journal = new SentJournal(folder)
    if (!existsSync(folder)) return journal
    const limit = pLimit(8)
    await Promise.all(readdirSync(folder).map((file) => limit(() => journal.#load(file, remote))))
    const found = join(folder, 'found')
    if (journal.#packs.size > 0) {
      const rows = new RowBuffer()
      for (const pack of journal.#packs.values()) rows.addPack(pack.name, pack.rows)
      rmSync(found, { recursive: true, force: true })
      journal.#index = new IndexSet(found)
      journal.#index.write(rows)
    }
    return journal
  }

  /** Those that an earlier push sent. */
  get packs(): ReadonlyMap<PackName, SentPack> {
    return this.#packs
  }

  find(kind: EntryKind, digest: Digest): Location | undefined {
    return this.#index?.find(kind, digest)
  }

  findAll(kind: EntryKind, digest: Digest): Iterable<Location> {
    return this.#index?.findAll(kind, digest) ?? []
  }

  note(pack: { name: PackName; class: PackClass; sizeBytes: number }, tail: Buffer): void {
    writeFileDurably(join(this.#folder, `${pack.name}.${pack.class}.${pack.sizeBytes}`), tail)
  }

  /** The push is complete: the remote's own index tells from now on. */
  clear(): void {
    this.#index?.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #load(file: string, remote: Remote): Promise<void> {
    const [name, packClass, size] = file.split('.')
    const sizeBytes = Number(size)
    if (name === undefined || !isPackName(name) || !Number.isInteger(sizeBytes)) return
    if (packClass !== 'data' && packClass !== 'metadata') return
    const entry = await remote.stat(packKey(name))
    if (entry?.sizeBytes !== sizeBytes) return
    const tail = readFileSync(join(this.#folder, file))
    try {
      const footer = decodePackFooter(tail.subarray(-PACK_FOOTER_BYTES), sizeBytes, file)
      const rows = rowsOf(verifyPackTable(tail.subarray(0, -PACK_FOOTER_BYTES), footer, name))
      this.#packs.set(name, { name, class: packClass, sizeBytes, tailBytes: tail.length, rows })
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      // A torn note is no note: the pack is sent again.
    }
  }
}
