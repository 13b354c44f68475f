import { type Digest, digestOf } from '../content-id.ts'
import { encodeTree, type TreeEntry } from '../format/tree.ts'
import type { DirectoryStats } from './directory-stats.ts'
import { type DirectoryListing, filesOf } from './list-directory.ts'

/** What a version's listing of a directory would be: where the digests are equal, so is everything in it. */
export type KnownListing = { digest: Digest; files: number; sizeBytes: number }

/**
 * What the stat cache knows of a directory as a whole, without any listing being read, or else of how many files it
 * does not know the content. Of a directory with directories in it nothing is known: their listings would have to be
 * known first.
 */
export function knownListing(
  listing: DirectoryListing,
  statsOf: () => DirectoryStats,
): { known: KnownListing | undefined; unknownFiles: number } {
  if (listing.directories.length > 0) return { known: undefined, unknownFiles: 0 }
  const entries: TreeEntry[] = []
  let totalBytes = 0
  let unknownFiles = 0
  const stats = statsOf()
  for (const { kind, name, stamp } of filesOf(listing)) {
    const digest = stats.get(name, stamp)
    if (digest === undefined) {
      unknownFiles++
      continue
    }
    const { sizeBytes } = stamp
    entries.push({ kind, name, sizeBytes, digest })
    totalBytes += sizeBytes
  }
  if (unknownFiles > 0) return { known: undefined, unknownFiles }
  for (const { kind, name, target } of listing.links) entries.push({ kind, name, target })
  // A copy: what crosses threads takes the whole buffer along that it is a part of.
  const digest = new Uint8Array(digestOf(encodeTree(entries)))
  return { known: { digest, files: entries.length, sizeBytes: totalBytes }, unknownFiles }
}
