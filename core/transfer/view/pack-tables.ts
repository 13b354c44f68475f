import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { VarveError } from '../../errors.ts'
import { decodePackFooter, PACK_FOOTER_BYTES, type PackEntry, verifyPackTable } from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import { packKey } from '../../store/store-layout.ts'
import { writeFileDurably } from '../../store/write-file-durably.ts'
import { readWhole } from '../objects/read-whole.ts'
import { untilUndamaged } from '../objects/until-undamaged.ts'
import type { RemoteView } from './remote-view.ts'

export type PackTable = { pack: RecordPack; entries: PackEntry[] }

/** The tables of remote packs: one ranged read each, kept by name. */
export class PackTables {
  readonly #view: RemoteView

  constructor(view: RemoteView) {
    this.#view = view
  }

  /** @throws NOT_FOUND, CORRUPT, MALFORMED */
  async readAll(packs: readonly RecordPack[], jobs: number): Promise<PackTable[]> {
    const limit = pLimit(jobs)
    return Promise.all(packs.map((pack) => limit(() => this.#read(pack))))
  }

  async #read(pack: RecordPack): Promise<PackTable> {
    const path = join(this.#view.folder, 'tables', pack.name)
    if (existsSync(path)) {
      try {
        return { pack, entries: decodeTail(readFileSync(path), pack) }
      } catch (error) {
        if (!(error instanceof VarveError)) throw error
        // A damaged copy is fetched again.
      }
    }
    const start = pack.sizeBytes - pack.tailBytes
    return untilUndamaged(async () => {
      const tail = await readWhole(this.#view.remote, packKey(pack.name), {
        mostBytes: pack.tailBytes,
        range: { start, endExclusive: pack.sizeBytes },
      })
      const entries = decodeTail(tail, pack)
      writeFileDurably(path, tail)
      return { pack, entries }
    }, this.#view.onMended)
  }
}

function decodeTail(tail: Buffer, pack: RecordPack): PackEntry[] {
  if (tail.length !== pack.tailBytes) throw new VarveError('CORRUPT', `pack ${pack.name}: cut short`)
  const footer = decodePackFooter(tail.subarray(-PACK_FOOTER_BYTES), pack.sizeBytes, `pack ${pack.name}`)
  return verifyPackTable(tail.subarray(0, -PACK_FOOTER_BYTES), footer, pack.name)
}
