import { join } from 'node:path'
import { readConfigFile } from './read-config-file.ts'
import { writeFileAtomically } from './write-file-atomically.ts'

const FILE_NAME = 'trusted-places'
/** What kind of remote, and where: `ssh ssh://git@host`. */
const LINE = /^[a-z0-9]+ \S+$/

/** A place as a kind of remote: an address that serves one kind may belong to somebody else than one of another. */
export type TrustedPlace = { kind: string; origin: string }

/**
 * The places that the user has allowed this clone to show credentials to, although it was a committed config that named
 * them. A file of this clone, one place a line; never a part of the repository.
 */
export class TrustedPlaces {
  readonly #path: string
  #lines: ReadonlySet<string>

  private constructor(path: string, lines: ReadonlySet<string>) {
    this.#path = path
    this.#lines = lines
  }

  /** @throws BAD_CONFIG when the file is no regular one, far too large, or not UTF-8; NO_PERMISSION; IO */
  static async read(localFolder: string): Promise<TrustedPlaces> {
    const path = join(localFolder, FILE_NAME)
    return new TrustedPlaces(path, await readLines(path))
  }

  has(place: TrustedPlace): boolean {
    return this.#lines.has(lineOf(place))
  }

  /** In the order in which they were added. */
  list(): TrustedPlace[] {
    return [...this.#lines].map((line) => {
      const [kind, origin] = line.split(' ') as [string, string]
      return { kind, origin }
    })
  }

  async add(place: TrustedPlace): Promise<void> {
    const line = lineOf(place)
    if (!LINE.test(line)) throw new Error(`not a place: ${JSON.stringify(line)}`)
    await this.#change((lines) => lines.add(line))
  }

  async remove(places: readonly TrustedPlace[]): Promise<void> {
    await this.#change((lines) => {
      for (const place of places) lines.delete(lineOf(place))
    })
  }

  /** On what the file says now. Of two changes at the same moment one may be lost: then the user is asked again. */
  async #change(edit: (lines: Set<string>) => void): Promise<void> {
    const lines = await readLines(this.#path)
    const before = lines.size
    edit(lines)
    this.#lines = lines
    if (lines.size === before) return
    await writeFileAtomically(this.#path, [...lines].map((line) => `${line}\n`).join(''))
  }
}

/** Lines that say nothing that this version understands trust nothing. */
async function readLines(path: string): Promise<Set<string>> {
  const text = (await readConfigFile(path)) ?? ''
  return new Set(text.split(/\r?\n/).filter((line) => LINE.test(line)))
}

function lineOf({ kind, origin }: TrustedPlace): string {
  return `${kind} ${origin}`
}
