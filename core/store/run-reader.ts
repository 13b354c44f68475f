import { type Digest, digestOf } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import type { PackName } from '../format/pack.ts'
import type { Location } from './segment-reader.ts'
import { zstd } from './zstd.ts'

export type EntryToRead = { digest: Digest; location: Location }

/** Valid until the next one is asked for. */
export type ReadEntry = {
  /** As they lie in the pack; undefined where it does not reach so far. */
  stored: Buffer | undefined
  /** Proven to be those of the digest, but for a recipe (see `decodeEntry`); undefined where they are not. */
  raw: Buffer | undefined
}

/** Where bytes of packs come from: `PackReader.read`, or a pack that is not in the store yet. */
export type ReadPack = (pack: PackName, offset: number, lengthBytes: number, into: Buffer) => Buffer

/** What is read at once: large enough to make calls rare, small enough to stay in a core's cache. */
const MAX_RUN_BYTES = 1 << 20
/** Reading over a gap up to this is cheaper than another call. */
const MAX_GAP_BYTES = 16 << 10
/** What is decompressed at once: frames of one byte repeated could be many to a block. */
const MAX_RUN_RAW_BYTES = 1 << 20
const MAX_RUN_ENTRIES = 256

/** Reads entries of packs run by run: those that lie close together take one read, and one decompression. */
export class RunReader {
  readonly #readPack: ReadPack
  readonly #buffer = Buffer.allocUnsafe(MAX_RUN_BYTES)

  constructor(readPack: ReadPack) {
    this.#readPack = readPack
  }

  /** Each entry, in the order given: best that of the packs. */
  *read(entries: readonly EntryToRead[]): Generator<ReadEntry, void, undefined> {
    for (const run of this.readRuns(entries)) yield* run
  }

  /** The same run by run: those of a run are valid until the next run is asked for. */
  *readRuns(entries: readonly EntryToRead[]): Generator<ReadEntry[], void, undefined> {
    for (let first = 0; first < entries.length; ) {
      const end = endOfRun(entries, first)
      const run = entries.slice(first, end)
      const stored = this.#stored(run)
      yield stored === undefined
        ? run.map(() => ({ stored: undefined, raw: undefined }))
        : decodeRun(run, stored).map((raw, index) => ({ stored: stored[index], raw }))
      first = end
    }
  }

  #stored(run: readonly EntryToRead[]): Buffer[] | undefined {
    const { pack, offset: start } = run[0]!.location
    const lengthBytes = endOf(run.at(-1)!.location) - start
    try {
      const bytes = this.#readPack(pack, start, lengthBytes, this.#buffer)
      return run.map(({ location }) => bytes.subarray(location.offset - start, endOf(location) - start))
    } catch (error) {
      if (error instanceof VarveError) return undefined
      throw error
    }
  }
}

function endOf({ offset, storedBytes }: Location): number {
  return offset + storedBytes
}

/** Where the run that begins at `first` ends, exclusive. */
function endOfRun(entries: readonly EntryToRead[], first: number): number {
  const { pack, offset: start } = entries[first]!.location
  let rawBytes = 0
  let end = first
  for (let reached = start; end < entries.length && end - first < MAX_RUN_ENTRIES; end++) {
    const { location } = entries[end]!
    const gap = location.offset - reached
    rawBytes += location.rawBytes
    if (end > first) {
      if (location.pack !== pack || gap < 0 || gap > MAX_GAP_BYTES) break
      if (endOf(location) - start > MAX_RUN_BYTES || rawBytes > MAX_RUN_RAW_BYTES) break
    }
    reached = endOf(location)
  }
  return end
}

/**
 * Compressed entries that touch are decompressed together: not recipes, whose digests do not tell whether what came out
 * was cut apart in the right places.
 */
function endOfFrames(entries: readonly EntryToRead[], first: number): number {
  let end = first + 1
  for (; end < entries.length; end++) {
    const before = entries[end - 1]!.location
    const { kind, codec, offset } = entries[end]!.location
    if (before.codec !== 'zstd' || codec !== 'zstd' || offset !== endOf(before)) break
    if (before.kind === 'recipe' || kind === 'recipe') break
  }
  return end
}

function decodeRun(run: readonly EntryToRead[], stored: readonly Buffer[]): (Buffer | undefined)[] {
  const decoded: (Buffer | undefined)[] = []
  for (let first = 0; first < run.length; ) {
    const end = endOfFrames(run, first)
    if (run[first]!.location.codec === 'raw') decoded.push(stored[first])
    else decoded.push(...decompress(run.slice(first, end), stored.slice(first, end)))
    first = end
  }
  return run.map((entry, index) => {
    const bytes = decoded[index]
    return bytes !== undefined && isThat(entry, bytes) ? bytes : undefined
  })
}

function isThat({ digest, location }: EntryToRead, bytes: Buffer): boolean {
  if (bytes.length !== location.rawBytes) return false
  return location.kind === 'recipe' || digestOf(bytes).equals(digest)
}

/** `stored` lie end to end. */
function decompress(
  entries: readonly EntryToRead[],
  stored: readonly Buffer[],
): readonly (Buffer | undefined)[] {
  const lengthBytes = stored.reduce((sum, { length }) => sum + length, 0)
  const bytes = Buffer.from(stored[0]!.buffer, stored[0]!.byteOffset, lengthBytes)
  try {
    return zstd.decompressRun(
      bytes,
      entries.map(({ location }) => location),
    )
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    if (entries.length === 1) return [undefined]
    // One of them is bad: which?
    return entries.flatMap((entry, index) => decompress([entry], [stored[index]!]))
  }
}
