import type { PackEntry, PackName } from '../format/pack.ts'
import type { PackReader } from './pack-reader.ts'
import { PackWriter } from './pack-writer.ts'
import type { RowBuffer } from './row-buffer.ts'
import { storedEntries } from './verify-task.ts'

/**
 * Copies the good entries of damaged metadata packs into new ones, and their rows into `rows`. While the index names a
 * metadata pack, a fetch takes it for whole: so none that is damaged may stay in it.
 * @throws NO_SPACE, NO_PERMISSION, IO
 */
export function keepGoodEntries(options: {
  root: string
  reader: PackReader
  packs: readonly { name: PackName; entries: readonly PackEntry[] }[]
  rows: RowBuffer
}): void {
  const { root, reader, packs, rows } = options
  const writer = new PackWriter({
    root,
    class: 'metadata',
    onSealed: ({ name, rows: sealed }) => rows.addPack(name, sealed),
  })
  try {
    for (const { name, entries } of packs) {
      for (const [{ kind, codec, digest, rawBytes, checksum }, stored] of storedEntries(
        reader,
        name,
        entries,
      )) {
        writer.appendStored({ kind, codec, digest, rawBytes, checksum }, stored)
      }
    }
    writer.seal()
  } catch (error) {
    writer.discard()
    throw error
  }
}
