import type { Digest } from '../content-id.ts'
import { digestIfSame } from '../format/stat-cache.ts'
import type { StatTable } from '../format/stat-table.ts'
import type { FileStamp } from './file-stamp.ts'

/** What the stat cache knows of the files of one directory, as it stood when it was looked up. */
export class DirectoryStats {
  /** Newest first. */
  readonly #tables: readonly StatTable[]
  readonly #isPending: (name: string) => boolean

  constructor(tables: readonly StatTable[], isPending: (name: string) => boolean) {
    this.#tables = tables
    this.#isPending = isPending
  }

  /**
   * The digest of the file's content if it is known under exactly this stamp; quickest when asked in the order of
   * the names' bytes. A view: copy it to keep it for long.
   */
  get(name: string, stamp: FileStamp): Digest | undefined {
    for (const table of this.#tables) {
      const index = table.find(name)
      if (index >= 0) return this.#isPending(name) ? undefined : digestIfSame(table, index, stamp)
    }
    return undefined
  }
}
