import { closeSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PAGE_BYTES, ROW_BYTES, ROWS_PER_PAGE, sealPage } from '../../../core/format/segment.ts'
import { RowCursor } from '../../../core/store/row-cursor.ts'
import { makeTemporaryFolder } from '../../support/temporary-folder.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

/** Pages of rows that each begin with their number. */
function makeFile(rowCount: number): string {
  const pages = Array.from({ length: Math.ceil(rowCount / ROWS_PER_PAGE) }, (_, number) => {
    const page = Buffer.alloc(PAGE_BYTES)
    for (let i = 0; i < ROWS_PER_PAGE; i++) page.writeUInt32LE(number * ROWS_PER_PAGE + i, i * ROW_BYTES)
    sealPage(page)
    return page
  })
  const path = join(makeTemporaryFolder(), 'rows')
  writeFileSync(path, Buffer.concat(pages))
  return path
}

function walk(path: string, rowCount: number): number[] {
  const file = { fd: openSync(path, 'r'), where: path }
  try {
    const cursor = new RowCursor(file, rowCount)
    const numbers: number[] = []
    while (cursor.next()) numbers.push(cursor.bytes.readUInt32LE(cursor.at))
    expect(cursor.next()).toBe(false)
    return numbers
  } finally {
    closeSync(file.fd)
  }
}

// Pages are read 64 at a time.
test.each([0, 1, 81, 82, 63 * 81, 64 * 81, 64 * 81 + 1, 128 * 81, 200 * 81 + 5])(
  'walks %i rows in order',
  (count) => {
    expect(walk(makeFile(count), count)).toEqual(Array.from({ length: count }, (_, i) => i))
  },
)

test('refuses a damaged page, and one past the end', () => {
  const count = 130 * ROWS_PER_PAGE
  const path = makeFile(count)
  const bytes = readFileSync(path)
  for (const page of [0, 63, 64, 129]) {
    const damaged = Buffer.from(bytes)
    damaged[page * PAGE_BYTES + 10]! ^= 1
    writeFileSync(path, damaged)
    expect(varveErrorOf(() => walk(path, count))).toMatchObject({
      code: 'CORRUPT',
      message: `${path}: a damaged page`,
    })
  }
  writeFileSync(path, bytes)
  truncateSync(path, 129 * PAGE_BYTES)
  expect(varveErrorOf(() => walk(path, count)).code).toBe('CORRUPT')
})
