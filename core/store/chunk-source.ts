import type { PackEntry, PackName } from '../format/pack.ts'
import type { DigestSet } from './digest-set.ts'

/** Chunks that lie close together in a pack, as they came from outside: nothing in them is believed yet. */
export type ChunkBlock = {
  pack: PackName
  /** Where in the pack the bytes begin. */
  start: number
  /** All of its memory is its own, so that it can move to a thread. */
  bytes: Uint8Array<ArrayBuffer>
  entries: readonly PackEntry[]
  /** Which one it is: from the second on they are read because the one before was bad. */
  copy: number
}

/** In which packs some chunks lie, and what they take there. */
export type LocatedChunks = { packs: ReadonlySet<PackName>; storedBytes: number }

export type ChunksToRead = {
  wanted: DigestSet
  /** What `locate` said of them. */
  where: LocatedChunks
  /** Waited for: that bounds what is held in memory. */
  onBlock: (block: ChunkBlock) => Promise<void>
  signal: AbortSignal
}

/** A place outside the store that chunks can be had from. */
export interface ChunkSource {
  /**
   * Finds out where each of the chunks is. Undefined where metadata came into the store instead, that tells of blobs
   * which were taken for a single chunk: what is wanted must be worked out anew.
   * @throws MISSING_BYTES where one cannot be had
   */
  locate(wanted: DigestSet): Promise<LocatedChunks | undefined>
  /**
   * Reads each chunk once, in the order of packs and several at a time.
   * @throws MISSING_BYTES, CORRUPT, and what the place itself throws
   */
  read(chunks: ChunksToRead): Promise<void>
  /** Whether another copy may be better. */
  mayReadAgain(block: ChunkBlock): boolean
  /** Another copy of some of a block's chunks. */
  readAgain(block: ChunkBlock, entries: readonly PackEntry[]): Promise<ChunkBlock>
  /** Says that a later copy was good. */
  tellMended(block: ChunkBlock): void
  /** What to say of a chunk whose bytes are bad in every copy. */
  damaged(block: ChunkBlock, entry: PackEntry): Error
}
