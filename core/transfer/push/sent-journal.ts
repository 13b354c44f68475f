import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import type { Digest } from '../../content-id.ts'
import { VarveError } from '../../errors.ts'
import {
  decodePackFooter,
  type EntryKind,
  isPackName,
  PACK_FOOTER_BYTES,
  type PackClass,
  type PackName,
  verifyPackTable,
} from '../../format/pack.ts'
import type { Remote } from '../../remote.ts'
import { IndexSet } from '../../store/index-set.ts'
import { RowBuffer, rowsOf } from '../../store/row-buffer.ts'
import type { Location } from '../../store/segment-reader.ts'
import { packKey } from '../../store/store-layout.ts'
import { writeFileDurably } from '../../store/write-file-durably.ts'
import { isMissingFile } from '../view/segment-copies.ts'

const REQUESTS_AT_ONCE = 8

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
  /** Of this push, and of earlier ones: another push of this clone may have notes beside them. */
  readonly #notes = new Set<string>()
  readonly #packs = new Map<PackName, SentPack>()
  #index: IndexSet | undefined

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** Whether a push of this clone was cut off, or is under way. */
  static hasNotes(viewFolder: string): boolean {
    const folder = folderIn(viewFolder)
    return existsSync(folder) && readdirSync(folder).length > 0
  }

  /**
   * Reads what an earlier push left, and asks the remote which of it is still there. Keeps an index of it below
   * `scratch`, which is this process's own.
   */
  static async open(view: { remote: Remote; folder: string }, scratch: string): Promise<SentJournal> {
    const { remote } = view
    const folder = folderIn(view.folder)
    const journal = new SentJournal(folder)
    if (!existsSync(folder)) return journal
    const limit = pLimit(REQUESTS_AT_ONCE)
    await Promise.all(readdirSync(folder).map((file) => limit(() => journal.#load(file, remote))))
    if (journal.#packs.size > 0) {
      const rows = new RowBuffer()
      for (const pack of journal.#packs.values()) rows.addPack(pack.name, pack.rows)
      journal.#index = new IndexSet(scratch)
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
    const file = `${pack.name}.${pack.class}.${pack.sizeBytes}`
    this.#notes.add(file)
    writeFileDurably(join(this.#folder, file), tail)
  }

  /** The push is complete: the remote's own index tells from now on. */
  clear(): void {
    for (const file of this.#notes) rmSync(join(this.#folder, file), { force: true })
  }

  close(): void {
    this.#index?.close()
  }

  async #load(file: string, remote: Remote): Promise<void> {
    const [name, packClass, size] = file.split('.')
    const sizeBytes = Number(size)
    if (name === undefined || !isPackName(name) || !Number.isInteger(sizeBytes)) return
    if (packClass !== 'data' && packClass !== 'metadata') return
    this.#notes.add(file)
    const entry = await remote.stat(packKey(name))
    if (entry?.sizeBytes !== sizeBytes) return
    const tail = readIfThere(join(this.#folder, file))
    if (tail === undefined) return
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

function folderIn(viewFolder: string): string {
  return join(viewFolder, 'sent')
}

/** Undefined where another push of this clone has ended meanwhile, and taken its notes away. */
function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isMissingFile(error)) return undefined
    throw error
  }
}
