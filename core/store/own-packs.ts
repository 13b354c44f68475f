import { appendFileSync, readFileSync } from 'node:fs'
import { type Digest, digestOf, hexOf } from '../content-id.ts'
import {
  decodePackFooter,
  findTableEntry,
  isPackName,
  PACK_FOOTER_BYTES,
  type PackName,
} from '../format/pack.ts'
import type { Location } from './segment-reader.ts'

/**
 * The metadata packs that this clone wrote itself while it read the files: what a recipe in one of them says needs no
 * rebuilding of the file to be believed. Each is known by the content id of its whole file, so that neither rot nor
 * another writer of a shared store can slip something under its name. The list lies in the clone, never in the store,
 * and is only a shortcut: without a line, files are proven whole again.
 */
export class OwnPacks {
  readonly #path: string
  readonly #contents: Map<PackName, string>
  /** The tables of packs that were found to be as they were noted; undefined for those that were not. */
  readonly #tables = new Map<PackName, Buffer | undefined>()

  private constructor(path: string, contents: Map<PackName, string>) {
    this.#path = path
    this.#contents = contents
  }

  /** `path` is of the list: a line a pack, its name and its content. Lines that are torn do not count. */
  static open(path: string): OwnPacks {
    const lines = (readIfThere(path)?.toString('latin1') ?? '').split('\n').map((line) => line.split(' '))
    const contents = new Map<PackName, string>()
    for (const [name = '', content = ''] of lines) {
      if (isPackName(name) && /^[0-9a-f]{64}$/.test(content)) contents.set(name, content)
    }
    return new OwnPacks(path, contents)
  }

  /**
   * Whether the recipe of `blob` lies there in a pack that was noted, and whose file at `path` is that pack byte for
   * byte. What an index says is not believed: its rows may be another's. Reads the pack the first time.
   */
  hasRecipe(blob: Digest, { pack, offset, storedBytes, codec }: Location, path: string): boolean {
    if (!this.#tables.has(pack)) this.#tables.set(pack, this.#readTable(pack, path))
    const table = this.#tables.get(pack)
    const entry = table && findTableEntry(table, offset, 'own pack')
    if (entry === undefined || entry.kind !== 'recipe') return false
    const isThere = entry.storedBytes === storedBytes && entry.codec === codec
    return isThere && Buffer.compare(entry.digest, blob) === 0
  }

  #readTable(name: PackName, path: string): Buffer | undefined {
    const content = this.#contents.get(name)
    const pack = content === undefined ? undefined : readIfThere(path)
    if (pack === undefined || hexOf(digestOf(pack)) !== content) return undefined
    const footer = decodePackFooter(pack.subarray(-PACK_FOOTER_BYTES), pack.length, 'own pack')
    // A copy: a view would keep the whole pack in memory.
    return Buffer.from(pack.subarray(footer.tableOffset, footer.tableOffset + footer.tableBytes))
  }

  /** `content` is the content id of the pack's file. Where the list cannot be written, it stays as it is. */
  note(packs: readonly { name: PackName; content: Digest }[]): void {
    const lines = packs.map(({ name, content }) => `${name} ${hexOf(content)}\n`)
    try {
      appendFileSync(this.#path, lines.join(''))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
    for (const { name, content } of packs) {
      this.#contents.set(name, hexOf(content))
      this.#tables.delete(name)
    }
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    return undefined
  }
}
