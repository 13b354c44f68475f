import type { ContentId } from '../../content-id.ts'
import type { RecordPointer, RootRecord } from '../../format/root-record.ts'

/** A record that says that a version, or a part of it, is on the remote. */
export type Holder = { record: RootRecord; pointer: RecordPointer }

/** By version: the newest record first, those of the whole version before those of parts. */
export function groupHolders(records: Iterable<RootRecord>): Map<ContentId, Holder[]> {
  const newestFirst = [...records].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
  const all = newestFirst.flatMap((record) => record.pointers.map((pointer) => ({ record, pointer })))
  const isWhole = ({ pointer }: Holder) => pointer.only === undefined
  const groups = new Map<ContentId, Holder[]>()
  for (const holder of [...all.filter(isWhole), ...all.filter((one) => !isWhole(one))]) {
    const group = groups.get(holder.pointer.id)
    if (group === undefined) groups.set(holder.pointer.id, [holder])
    else group.push(holder)
  }
  return groups
}
