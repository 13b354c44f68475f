import { decodeRootRecord } from '../format/root-record.ts'
import type { Key, Remote } from '../remote.ts'
import { packKey } from '../store/store-layout.ts'
import { readWhole } from '../transfer/objects/read-whole.ts'
import { readRecordFile, recordFileOf } from '../transfer/view/record-file.ts'

export type FoundObject = { key: Key; sizeBytes: number }

/** Of records; each may take as long as what is to be measured. */
const MOST_READ = 4
const MOST_RECORD_BYTES = 16 << 20

/**
 * The largest of `listed` and of the packs that a few records name, for readers who cannot list packs. Looks no
 * further once it has found `enoughBytes`.
 * @throws CORRUPT, MALFORMED, TOO_NEW, and what the remote throws
 */
export async function largestObject(
  remote: Remote,
  listed: readonly FoundObject[],
  options: { enoughBytes: number; signal: AbortSignal | undefined },
): Promise<FoundObject | undefined> {
  const { enoughBytes, signal } = options
  let largest = largerOf(undefined, listed)
  const records: FoundObject[] = []
  for await (const entry of remote.list('roots/')) {
    if (fileOf(entry.key) !== undefined && entry.sizeBytes <= MOST_RECORD_BYTES) records.push(entry)
  }
  records.sort((a, b) => b.sizeBytes - a.sizeBytes)
  for (const { key } of records.slice(0, MOST_READ)) {
    if (largest !== undefined && largest.sizeBytes >= enoughBytes) break
    const bytes = await readWhole(remote, key, { mostBytes: MOST_RECORD_BYTES, signal })
    for (const { id, json } of readRecordFile(fileOf(key)!, bytes).records) {
      const { packs } = decodeRootRecord(json, id)
      largest = largerOf(
        largest,
        packs.map(({ name, sizeBytes }) => ({ key: packKey(name), sizeBytes })),
      )
    }
  }
  return largest
}

function fileOf(key: Key) {
  return recordFileOf(key.split('/').at(-1)!)
}

function largerOf(first: FoundObject | undefined, others: readonly FoundObject[]): FoundObject | undefined {
  return others.reduce<FoundObject | undefined>(
    (best, { key, sizeBytes }) => (sizeBytes > (best?.sizeBytes ?? 0) ? { key, sizeBytes } : best),
    first,
  )
}
