import { ENTRY_BYTES, isForgotten } from '../format/stat-cache.ts'
import { StatTable, StatTableBuilder } from '../format/stat-table.ts'
import { compareNames } from '../format/tree.ts'

/**
 * One block of what several say of the same directory, given oldest first: the newest word on each name counts.
 * Forgotten entries hide older ones; in a base, where there is nothing older, they are dropped. Undefined where
 * nothing is left.
 */
export function mergeStatBlocks(
  blocks: readonly Buffer[],
  { forgotten }: { forgotten: 'keep' | 'drop' },
): Buffer | undefined {
  const tables = blocks
    .map((block) => StatTable.open(block, ENTRY_BYTES))
    .filter((table) => table !== undefined)
  const [oldest, ...newer] = tables
  if (oldest === undefined) return undefined
  if (newer.length === 0 && (forgotten === 'keep' || !hasForgotten(oldest))) return oldest.bytes

  // The oldest is mostly the base's, and large; the others are what a few commands changed.
  const changes = new Map<string, { table: StatTable; index: number }>()
  for (const table of newer) {
    for (let index = 0; index < table.count; index++) changes.set(table.name(index), { table, index })
  }

  const merged = new StatTableBuilder()
  const add = (table: StatTable, index: number) => {
    if (forgotten === 'keep' || !isForgotten(table, index))
      merged.add(table.nameBytes(index), table.record(index))
  }
  let at = 0
  for (const name of [...changes.keys()].sort(compareNames)) {
    const change = changes.get(name)!
    const nameBytes = change.table.nameBytes(change.index)
    for (; at < oldest.count; at++) {
      const order = oldest.nameBytes(at).compare(nameBytes)
      if (order > 0) break
      if (order < 0) add(oldest, at)
    }
    add(change.table, change.index)
  }
  for (; at < oldest.count; at++) add(oldest, at)
  return merged.count === 0 ? undefined : merged.finish()
}

function hasForgotten(table: StatTable): boolean {
  for (let i = 0; i < table.count; i++) if (isForgotten(table, i)) return true
  return false
}
