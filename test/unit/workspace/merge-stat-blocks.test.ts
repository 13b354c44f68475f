import { expect, test } from 'vitest'
import { digestOf } from '../../../core/content-id.ts'
import { ByteWriter } from '../../../core/format/byte-writer.ts'
import { ENTRY_BYTES, FORGOTTEN, isForgotten, writeEntry } from '../../../core/format/stat-cache.ts'
import { StatTable, StatTableBuilder } from '../../../core/format/stat-table.ts'
import { compareNames } from '../../../core/format/tree.ts'
import { mergeStatBlocks } from '../../../core/workspace/merge-stat-blocks.ts'

/** A block of files of these sizes; undefined: forgotten. */
function blockOf(sizes: Record<string, number | undefined>): Buffer {
  const table = new StatTableBuilder()
  for (const name of Object.keys(sizes).sort(compareNames)) {
    const sizeBytes = sizes[name]
    const writer = new ByteWriter(ENTRY_BYTES)
    const stamp = { mtimeMs: 1, ctimeMs: 2, inode: 3, mode: 0o100644 }
    if (sizeBytes !== undefined) writeEntry(writer, { sizeBytes, ...stamp }, digestOf(Buffer.from(name)))
    table.add(Buffer.from(name), sizeBytes === undefined ? FORGOTTEN : writer.view())
  }
  return table.finish()
}

function sizesOf(block: Buffer | undefined): Record<string, number | undefined> | undefined {
  const table = block && StatTable.open(block, ENTRY_BYTES)
  if (table === undefined) return undefined
  const sizes: Record<string, number | undefined> = {}
  for (let i = 0; i < table.count; i++) {
    sizes[table.name(i)] = isForgotten(table, i)
      ? undefined
      : table.view.getFloat64(table.recordOffset(i), true)
  }
  return sizes
}

const blocks = [
  blockOf({ b: 1, d: 1, f: 1, '\u{1f600}': 1 }),
  blockOf({ a: 2, d: undefined, f: 2 }),
  blockOf({ c: 3, f: undefined, '\uff5e': 3 }),
]

test('the newest word on each name counts, in the order of the names’ bytes', () => {
  const merged = sizesOf(mergeStatBlocks(blocks, { forgotten: 'keep' }))
  expect(Object.entries(merged!)).toEqual([
    ...[
      ['a', 2],
      ['b', 1],
      ['c', 3],
      ['d', undefined],
      ['f', undefined],
      ['\uff5e', 3],
      ['\u{1f600}', 1],
    ],
  ])
})

test('in a base, what was forgotten is dropped', () => {
  const merged = sizesOf(mergeStatBlocks(blocks, { forgotten: 'drop' }))
  expect(Object.keys(merged!)).toEqual(['a', 'b', 'c', '\uff5e', '\u{1f600}'])
  expect(
    mergeStatBlocks([blockOf({ a: 1 }), blockOf({ a: undefined })], { forgotten: 'drop' }),
  ).toBeUndefined()
  expect(sizesOf(mergeStatBlocks([blockOf({ a: undefined, b: 1 })], { forgotten: 'drop' }))).toEqual({ b: 1 })
})

test('what is no block is passed over', () => {
  expect(sizesOf(mergeStatBlocks([Buffer.from('odd'), blocks[1]!], { forgotten: 'drop' }))).toEqual({
    a: 2,
    f: 2,
  })
  expect(mergeStatBlocks([Buffer.from('odd')], { forgotten: 'keep' })).toBeUndefined()
  expect(mergeStatBlocks([], { forgotten: 'keep' })).toBeUndefined()
})
