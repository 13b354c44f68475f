import { ENTRY_BYTES, isForgotten } from '../format/stat-cache.ts'
import { StatTable, StatTableBuilder } from '../format/stat-table.ts'

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
  // Newest first: the oldest is mostly the base's, and large, and is so copied once.
  let merged = tables.pop()
  for (const older of tables.reverse()) merged = mergeTwo(older, merged!)
  if (merged !== undefined && forgotten === 'drop') merged = withoutForgotten(merged)
  return merged === undefined || merged.count === 0 ? undefined : merged.bytes
}

function mergeTwo(older: StatTable, newer: StatTable): StatTable {
  const merged = new StatTableBuilder()
  let at = 0
  for (let index = 0; index < newer.count; index++) {
    for (; at < older.count; at++) {
      const order = older.compareName(at, newer, index)
      if (order > 0) break
      if (order < 0) copyEntry(older, at, merged)
    }
    copyEntry(newer, index, merged)
  }
  for (; at < older.count; at++) copyEntry(older, at, merged)
  return StatTable.open(merged.finish(), ENTRY_BYTES)!
}

function withoutForgotten(table: StatTable): StatTable {
  if (!hasForgotten(table)) return table
  const kept = new StatTableBuilder()
  for (let i = 0; i < table.count; i++) if (!isForgotten(table, i)) copyEntry(table, i, kept)
  return StatTable.open(kept.finish(), ENTRY_BYTES)!
}

function hasForgotten(table: StatTable): boolean {
  for (let i = 0; i < table.count; i++) if (isForgotten(table, i)) return true
  return false
}

function copyEntry(table: StatTable, index: number, target: StatTableBuilder): void {
  target.add(table.nameBytes(index), table.record(index))
}
