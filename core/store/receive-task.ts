import { closeSync, fstatSync, fsyncSync, openSync, readSync, rmSync } from 'node:fs'
import { VarveError } from '../errors.ts'
import {
  decodePackFooter,
  decodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackName,
  verifyPackTable,
} from '../format/pack.ts'
import type { Task } from '../workers/workers.ts'
import { publishFile } from './durable.ts'
import { decodeEntry, verifyChecksum } from './entry-codec.ts'
import type { SealedPack } from './pack-writer.ts'
import { rowsOf } from './row-buffer.ts'
import { packKey, packPath } from './store-layout.ts'

/** A pack as it came from a remote: nothing in it is believed yet. */
export type ArrivedPack = { name: PackName; path: string; from: string }

/** Another pack, please; this one is in the store. The answer is `undefined` when there are no more. */
export type ReceiveQuestion = { done: SealedPack | undefined }

/** Proves every byte of packs that arrived, then takes them into the store as they are. */
export const receiveTask: Task<{ root: string }, ReceiveQuestion, ArrivedPack | undefined, void> = {
  name: 'receive',
  async run({ root }, ask) {
    let done: SealedPack | undefined
    for (;;) {
      const arrived = await ask({ done })
      if (arrived === undefined) return
      done = receivePack(root, arrived)
    }
  },
}

/** @throws CORRUPT, MALFORMED, TOO_NEW: then the file is gone and the store unchanged. */
function receivePack(root: string, { name, path, from }: ArrivedPack): SealedPack {
  const fd = openSync(path, 'r')
  let sealed: SealedPack
  try {
    sealed = verifyWholePack(fd, name)
    fsyncSync(fd)
  } catch (error) {
    rmSync(path, { force: true })
    if (!(error instanceof VarveError)) throw error
    throw new VarveError(error.code, `${from}: pack ${name}: ${error.message}`, {
      hint: `Run the command again; if it stays so, remove ${packKey(name)} from the remote and push again from a clone that has the data.`,
      cause: error,
    })
  } finally {
    closeSync(fd)
  }
  publishFile(path, packPath(root, name))
  return sealed
}

function verifyWholePack(fd: number, name: PackName): SealedPack {
  const { size } = fstatSync(fd)
  const where = `pack ${name}`
  const read = (offset: number, length: number) => {
    const bytes = Buffer.allocUnsafe(length)
    for (let done = 0; done < length; ) {
      const count = readSync(fd, bytes, done, length - done, offset + done)
      if (count === 0) throw new VarveError('CORRUPT', 'cut short')
      done += count
    }
    return bytes
  }
  if (size < PACK_HEADER_BYTES + PACK_FOOTER_BYTES) throw new VarveError('CORRUPT', 'cut short')
  const packClass = decodePackHeader(read(0, PACK_HEADER_BYTES), where)
  const footer = decodePackFooter(read(size - PACK_FOOTER_BYTES, PACK_FOOTER_BYTES), size, where)
  const entries = verifyPackTable(read(footer.tableOffset, footer.tableBytes), footer, name)
  for (const entry of entries) {
    const stored = read(entry.offset, entry.storedBytes)
    verifyChecksum(entry, stored)
    decodeEntry({ ...entry, stored })
  }
  return {
    name,
    class: packClass,
    sizeBytes: size,
    tailBytes: size - footer.tableOffset,
    rows: rowsOf(entries),
  }
}
