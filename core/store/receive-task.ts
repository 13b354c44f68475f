import { closeSync, fstatSync, fsync, openSync, readSync, rmSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type ErrorCode, VarveError } from '../errors.ts'
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
import { rowsOfTable } from './row-buffer.ts'
import { RunReader } from './run-reader.ts'
import { packPath } from './store-layout.ts'

const sync = promisify(fsync)

/** What native code allocates is freed only when the thread's event loop turns. */
const YIELD_BYTES = 4 << 20

/** A pack as it came from a remote: nothing in it is believed yet. */
export type ArrivedPack = {
  name: PackName
  path: string
  /** It lies in the store already, where it arrived in a run that was cut off. Where it is damaged it stays. */
  isInStore: boolean
}

/** What became of a pack: taken into the store, or refused as damaged, or as too new, with these words. */
export type ReceiveOutcome =
  | { type: 'taken'; pack: SealedPack }
  | { type: 'damaged'; name: PackName; wasInStore: boolean; code: ErrorCode; message: string }

/** Another pack, please; the last one went so. The answer is `undefined` when there are no more. */
export type ReceiveQuestion = { last: ReceiveOutcome | undefined }

/** Proves every byte of packs that arrived, then takes them into the store as they are. */
export const receiveTask: Task<{ root: string }, ReceiveQuestion, ArrivedPack | undefined, void> = {
  name: 'receive',
  async run({ root }, ask) {
    let last: ReceiveOutcome | undefined
    for (;;) {
      const arrived = await ask({ last })
      if (arrived === undefined) return
      last = await receivePack(root, arrived)
    }
  },
}

/** The file of one that came damaged is gone, and the store unchanged. */
async function receivePack(root: string, { name, path, isInStore }: ArrivedPack): Promise<ReceiveOutcome> {
  const fd = openSync(path, 'r')
  // The disk works while the bytes are verified.
  const syncing = sync(fd).then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  let sealed: SealedPack
  try {
    sealed = await verifyWholePack(fd, name)
    const failure = await syncing
    if (failure !== undefined) throw failure.error
  } catch (error) {
    if (!isInStore) rmSync(path, { force: true })
    if (!(error instanceof VarveError)) throw error
    const { code, message } = error
    return { type: 'damaged', name, wasInStore: isInStore, code, message }
  } finally {
    await syncing
    closeSync(fd)
  }
  if (!isInStore) publishFile(path, packPath(root, name))
  return { type: 'taken', pack: sealed }
}

async function verifyWholePack(fd: number, name: PackName): Promise<SealedPack> {
  const { size } = fstatSync(fd)
  const where = `pack ${name}`
  const read = (offset: number, length: number, into?: Buffer) => {
    const bytes =
      into !== undefined && into.length >= length ? into.subarray(0, length) : Buffer.allocUnsafe(length)
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
  const table = read(footer.tableOffset, footer.tableBytes)
  const entries = verifyPackTable(table, footer, name)
  const contents = new RunReader((_, offset, length, into) => read(offset, length, into)).read(
    entries.map((entry) => ({ digest: entry.digest, location: { ...entry, pack: name } })),
  )
  let sinceYield = 0
  for (const entry of entries) {
    const { stored, raw } = contents.next().value!
    if (stored === undefined) throw new VarveError('CORRUPT', 'cut short')
    verifyChecksum(entry, stored)
    // Bad bytes are named by the way that says what is wrong with them.
    sinceYield += (raw ?? decodeEntry({ ...entry, stored })).length
    if (sinceYield < YIELD_BYTES) continue
    sinceYield = 0
    await setImmediate()
  }
  return {
    name,
    class: packClass,
    sizeBytes: size,
    tailBytes: size - footer.tableOffset,
    rows: rowsOfTable(table),
  }
}
