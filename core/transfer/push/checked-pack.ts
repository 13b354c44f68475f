import { open } from 'node:fs/promises'
import { VarveError } from '../../errors.ts'
import { PACK_HEADER_BYTES, type PackEntry, type PackName } from '../../format/pack.ts'
import { verifyChecksum } from '../../store/entry-codec.ts'
import type { PackReader } from '../../store/pack-reader.ts'
import { packPath } from '../../store/store-layout.ts'

const PIECE_BYTES = 1 << 20

/**
 * A pack of the store from its first byte to its last, in pieces of whole entries: none is given before its stored
 * bytes are found to be those that were written. @throws CORRUPT, MALFORMED, MISSING_BYTES
 */
export async function* checkedPack(
  packs: PackReader,
  root: string,
  name: PackName,
): AsyncGenerator<Buffer, void, undefined> {
  const { entries, footer, sizeBytes } = packs.readTable(name)
  const file = await open(packPath(root, name))
  const read = async (start: number, end: number) => {
    const bytes = Buffer.allocUnsafe(end - start)
    let done = 0
    for (let count = -1; done < bytes.length && count !== 0; done += count) {
      count = (await file.read(bytes, done, bytes.length - done, start + done)).bytesRead
    }
    return bytes.subarray(0, done)
  }
  try {
    yield await read(0, PACK_HEADER_BYTES)
    for (let first = 0; first < entries.length; ) {
      const end = endOfPiece(entries, first)
      const start = entries[first]!.offset
      const { offset, storedBytes } = entries[end - 1]!
      const piece = await read(start, offset + storedBytes)
      for (const entry of entries.slice(first, end)) {
        const at = entry.offset - start
        checkEntry(name, entry, piece.subarray(at, at + entry.storedBytes))
      }
      yield piece
      first = end
    }
    yield await read(footer.tableOffset, sizeBytes)
  } finally {
    await file.close()
  }
}

/** Entries follow each other without a gap. */
function endOfPiece(entries: readonly PackEntry[], first: number): number {
  const most = entries[first]!.offset + PIECE_BYTES
  let end = first + 1
  while (end < entries.length && entries[end]!.offset + entries[end]!.storedBytes <= most) end++
  return end
}

/** @throws CORRUPT */
export function checkEntry(
  pack: PackName,
  entry: Parameters<typeof verifyChecksum>[0],
  stored: Buffer,
): void {
  try {
    verifyChecksum(entry, stored)
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    throw new VarveError(error.code, `${error.message} (in pack ${pack})`, {
      hint: 'Run `varve verify` to see what is affected; nothing damaged was sent.',
      cause: error,
    })
  }
}
