import {
  decodePackFooter,
  decodePackHeader,
  PACK_FOOTER_BYTES,
  PACK_HEADER_BYTES,
  type PackName,
} from '../../format/pack.ts'
import type { RecordPack } from '../../format/root-record.ts'
import type { Remote } from '../../remote.ts'
import { packKey } from '../../store/store-layout.ts'
import { readWhole } from './read-whole.ts'

/** Reads the first and the last bytes of a remote pack. @throws MALFORMED, NOT_FOUND */
export async function describePack(remote: Remote, name: PackName, sizeBytes: number): Promise<RecordPack> {
  const key = packKey(name)
  const where = `${remote.label}: pack ${name}`
  const [header, footer] = await Promise.all([
    readWhole(remote, key, {
      mostBytes: PACK_HEADER_BYTES,
      range: { start: 0, endExclusive: PACK_HEADER_BYTES },
    }),
    readWhole(remote, key, {
      mostBytes: PACK_FOOTER_BYTES,
      range: { start: Math.max(0, sizeBytes - PACK_FOOTER_BYTES), endExclusive: sizeBytes },
    }),
  ])
  const { tableOffset } = decodePackFooter(footer, sizeBytes, where)
  return { name, class: decodePackHeader(header, where), sizeBytes, tailBytes: sizeBytes - tableOffset }
}
