import { contentIdFromDigest, type Digest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { EntryKind, PackName } from '../format/pack.ts'
import { decodeNode, type RecipeRoot } from '../format/recipe.ts'
import type { TreeEntry } from '../format/tree.ts'
import { DigestSet } from '../store/digest-set.ts'
import { readDirectory } from '../store/find-in-tree.ts'
import type { LostEntries } from '../store/lost-entries.ts'
import type { Store } from '../store/store.ts'
import { type KnownVersion, listKnownVersions } from './known-versions.ts'
import { entryOf } from './tracked.ts'
import type { Workbench } from './workbench.ts'

/** A version of which something in the store is damaged or gone. */
export type AffectedVersion = {
  version: KnownVersion
  /** How many files; a directory whose listing is lost counts as one, its path ending in a slash. */
  files: number
  /** The paths of the first of them, from the root of the repository. */
  firstFiles: string[]
  /** The damaged or missing packs that it needs. */
  packs: PackName[]
}

const SHOWN_FILES = 10

/** Which versions of the working tree, the index and all of history need entries that are lost. */
export async function affectedVersions(workbench: Workbench, lost: LostEntries): Promise<AffectedVersion[]> {
  const { versions } = await listKnownVersions(workbench)
  const walker = new Walker(workbench.store, lost)
  return versions.flatMap((version) => {
    const affected = walker.look(version)
    return affected.files > 0 ? [affected] : []
  })
}

class Walker {
  readonly #store: Store
  readonly #lost: LostEntries
  /** Directories and files that need nothing that is lost. */
  readonly #sound = new DigestSet()
  #found: { files: number; firstFiles: string[]; packs: Set<PackName> } = emptyFindings()

  constructor(store: Store, lost: LostEntries) {
    this.#store = store
    this.#lost = lost
  }

  look(version: KnownVersion): AffectedVersion {
    this.#found = emptyFindings()
    this.#visit(entryOf(version), version.path)
    const { files, firstFiles, packs } = this.#found
    return { version, files, firstFiles, packs: [...packs] }
  }

  #visit(entry: TreeEntry, path: string): void {
    if (entry.kind === 'link' || this.#sound.has(entry.digest)) return
    const before = this.#found.files
    if (!this.#isBlobSound(entry.digest)) this.#note(entry.kind === 'dir' ? `${path}/` : path)
    else if (entry.kind === 'dir') {
      for (const child of this.#listing(entry, path)) this.#visit(child, `${path}/${child.name}`)
    }
    if (this.#found.files === before) this.#sound.add(entry.digest)
  }

  #note(path: string): void {
    this.#found.files++
    if (this.#found.firstFiles.length < SHOWN_FILES) this.#found.firstFiles.push(path)
  }

  /** Whether nothing is lost of a blob, as far as it ever was here. */
  #isBlobSound(blob: Digest): boolean {
    if (this.#isLost('chunk', blob)) return false
    if (this.#store.has('chunk', blob)) return true
    if (this.#isLost('recipe', blob)) return false
    const [root] = this.#store.recipes(blob)
    return root === undefined || this.#isRecipeSound(root)
  }

  #isRecipeSound(root: RecipeRoot): boolean {
    if (this.#isLost('node', root.rootNode)) return false
    if (!this.#store.has('node', root.rootNode)) return true
    const bytes = this.#store.readEntry('node', root.rootNode)
    const { level, entries } = decodeNode(bytes, `recipe node ${contentIdFromDigest(root.rootNode)}`)
    // All of them, so that every pack that is to blame is named.
    return entries
      .map(({ digest, lengthBytes }) =>
        level === 0 ? !this.#isLost('chunk', digest) : this.#isRecipeSound({ rootNode: digest, lengthBytes }),
      )
      .every((isSound) => isSound)
  }

  #isLost(kind: EntryKind, digest: Digest): boolean {
    const pack = this.#lost.packOf(kind, digest)
    if (pack !== undefined) this.#found.packs.add(pack)
    return pack !== undefined
  }

  /** What a directory holds; nothing where its listing was never fetched. */
  #listing(entry: TreeEntry, path: string): TreeEntry[] {
    try {
      return readDirectory(this.#store, entry)
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      if (error.code !== 'MISSING_BYTES') this.#note(`${path}/`)
      return []
    }
  }
}

function emptyFindings() {
  return { files: 0, firstFiles: [] as string[], packs: new Set<PackName>() }
}
