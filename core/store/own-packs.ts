import { appendFileSync, readFileSync } from 'node:fs'
import { type Digest, digestOf, hexOf } from '../content-id.ts'
import { isPackName, type PackName } from '../format/pack.ts'

/**
 * The metadata packs that this clone wrote itself while it read the files: what a recipe in one of them says needs no
 * rebuilding of the file to be believed. Each is known by the content id of its whole file, so that neither rot nor
 * another writer of a shared store can slip something under its name. The list lies in the clone, never in the store,
 * and is only a shortcut: without a line, files are proven whole again.
 */
export class OwnPacks {
  readonly #path: string
  readonly #contents: Map<PackName, string>
  readonly #verdicts = new Map<PackName, boolean>()

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

  /** Whether the pack whose file is at `path` is, byte for byte, one that was noted. Reads it the first time. */
  has(name: PackName, path: string): boolean {
    const known = this.#verdicts.get(name)
    if (known !== undefined) return known
    const content = this.#contents.get(name)
    const bytes = content === undefined ? undefined : readIfThere(path)
    const verdict = bytes !== undefined && hexOf(digestOf(bytes)) === content
    this.#verdicts.set(name, verdict)
    return verdict
  }

  /** `content` is the content id of the pack's file. Where the list cannot be written, it stays as it is. */
  note(packs: readonly { name: PackName; content: Digest }[]): void {
    const lines = packs.map(({ name, content }) => `${name} ${hexOf(content)}\n`)
    try {
      appendFileSync(this.#path, lines.join(''))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
    }
    for (const { name, content } of packs) this.#contents.set(name, hexOf(content))
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
