import { contentIdFromDigest } from '../content-id.ts'
import { VarveError } from '../errors.ts'
import { decodePackHeader, PACK_HEADER_BYTES, type PackEntry, type PackName } from '../format/pack.ts'
import type { Task } from '../workers/workers.ts'
import { decodeEntry, verifyChecksum } from './entry-codec.ts'
import { PackReader } from './pack-reader.ts'
import { packPath } from './store-layout.ts'

export type VerifiedPack = {
  pack: PackName
  entries: number
  bytes: number
  /** What is wrong, an entry each: empty for a good pack. */
  problems: PackProblem[]
}

/** `kind` and `id` are absent where the whole pack is unreadable. */
export type PackProblem = { pack: PackName; kind?: string; id?: string; message: string }

/** More packs, please; these are verified. The answer is `undefined` when there are no more. */
export type VerifyQuestion = { done: VerifiedPack[] }

const BLOCK_BYTES = 4 << 20

/** Reads packs whole. Quick: checksums of what is stored. Full: decompressed and hashed as well. */
export const verifyTask: Task<{ root: string; full: boolean }, VerifyQuestion, PackName[] | undefined, void> =
  {
    name: 'verify',
    async run({ root, full }, ask) {
      const packs = new PackReader(root)
      try {
        let done: VerifiedPack[] = []
        for (;;) {
          const names = await ask({ done })
          if (names === undefined) return
          done = names.map((name) => verifyPack(packs, { root, name, full }))
        }
      } finally {
        packs.close()
      }
    },
  }

/** Every problem of one pack. Problems are its result, not its failure. */
export function verifyPack(
  packs: PackReader,
  { root, name, full }: { root: string; name: PackName; full: boolean },
): VerifiedPack {
  const verified: VerifiedPack = { pack: name, entries: 0, bytes: 0, problems: [] }
  try {
    decodePackHeader(packs.read(name, 0, PACK_HEADER_BYTES), `pack ${packPath(root, name)}`)
    const { entries, sizeBytes } = packs.readTable(name)
    verified.entries = entries.length
    verified.bytes = sizeBytes
    for (const [entry, stored] of storedEntries(packs, name, entries)) {
      try {
        verifyChecksum(entry, stored)
        if (full) decodeEntry({ ...entry, stored })
      } catch (error) {
        verified.problems.push({
          pack: name,
          kind: entry.kind,
          id: contentIdFromDigest(entry.digest),
          message: messageOf(error),
        })
      }
    }
  } catch (error) {
    verified.problems.push({ pack: name, message: messageOf(error) })
  }
  return verified
}

/** The entries with their stored bytes, read in large blocks. */
export function* storedEntries(
  packs: PackReader,
  name: PackName,
  entries: readonly PackEntry[],
): Generator<[PackEntry, Buffer]> {
  for (let first = 0; first < entries.length; ) {
    const start = entries[first]!.offset
    let end = start
    let last = first
    for (; last < entries.length && (last === first || end - start < BLOCK_BYTES); last++) {
      end = entries[last]!.offset + entries[last]!.storedBytes
    }
    const block = packs.read(name, start, end - start)
    for (const entry of entries.slice(first, last)) {
      const at = entry.offset - start
      yield [entry, block.subarray(at, at + entry.storedBytes)]
    }
    first = last
  }
}

function messageOf(error: unknown): string {
  if (error instanceof VarveError || (error as NodeJS.ErrnoException).code !== undefined) {
    return (error as Error).message
  }
  throw error
}
