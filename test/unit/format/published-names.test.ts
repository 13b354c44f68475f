import { expect, test } from 'vitest'
import { hexOf } from '../../../core/content-id.ts'
import { encodePublishedNames } from '../../../core/format/published-names.ts'
import { parsePublished } from '../../../remotes/http/parse-published.ts'
import { counting, readGolden } from '../../support/golden.ts'

const nameOf = (first: number) => hexOf(counting(first))
const ENTRIES = [
  { key: `roots/${'f'.repeat(32)}/${nameOf(3)}.final`, sizeBytes: Number.MAX_SAFE_INTEGER },
  { key: `index/${nameOf(1)}.idx`, sizeBytes: 12_288 },
  { key: `roots/0123456789abcdef0123456789abcdef/${nameOf(2)}.final`, sizeBytes: 345 },
]
const golden = readGolden('published/v1/two-repositories.json')

test('the golden listing is written, whatever the order of what is listed', () => {
  expect(encodePublishedNames(ENTRIES).toString()).toBe(golden.toString())
  expect(encodePublishedNames(ENTRIES.toReversed()).toString()).toBe(golden.toString())
})

test('the golden listing is read by the remote for readers over HTTP', () => {
  const { prefixes, keys } = parsePublished(golden, 'published.json')
  expect(prefixes).toEqual(['index/', 'roots/'])
  expect(new Map(keys)).toEqual(new Map(ENTRIES.map(({ key, sizeBytes }) => [key, sizeBytes])))
})

test('an empty listing is written and read', () => {
  expect(parsePublished(encodePublishedNames([]), 'published.json').keys).toEqual([])
})
