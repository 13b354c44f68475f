import { compareNames, type TreeEntry } from './tree.ts'

/** A name that two listings do not agree on. At least one side is there. */
export type EntryDifference = { name: string; before?: TreeEntry; after?: TreeEntry }

/** Merges two listings, each sorted as `decodeTree` gives them, into the names on which they differ, in order. */
export function* diffEntries(
  before: readonly TreeEntry[],
  after: readonly TreeEntry[],
): Generator<EntryDifference, void, undefined> {
  let i = 0
  let j = 0
  while (i < before.length || j < after.length) {
    const old = before[i]
    const now = after[j]
    const order = old === undefined ? 1 : now === undefined ? -1 : compareNames(old.name, now.name)
    if (order <= 0) i++
    if (order >= 0) j++
    if (order < 0) yield { name: old!.name, before: old! }
    else if (order > 0) yield { name: now!.name, after: now! }
    else if (!sameEntry(old!, now!)) yield { name: now!.name, before: old!, after: now! }
  }
}

/** Whether two entries of one name stand for the same content, of the same kind. */
export function sameEntry(a: TreeEntry, b: TreeEntry): boolean {
  if (a.kind === 'link') return b.kind === 'link' && a.target === b.target
  return b.kind === a.kind && a.sizeBytes === b.sizeBytes && sameDigest(a.digest, b.digest)
}

function sameDigest(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return a.length === b.length
}
