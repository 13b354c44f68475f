import { expect, test } from 'vitest'
import {
  parseContentRange,
  parseCount,
  parseUnsatisfiedRange,
} from '../../../../remotes/http/content-range.ts'

test('a part of a known and of an unknown length is read', () => {
  expect(parseContentRange('bytes 3-6/10')).toEqual({ start: 3, endExclusive: 7, totalBytes: 10 })
  expect(parseContentRange('Bytes 0-0/*')).toEqual({ start: 0, endExclusive: 1, totalBytes: undefined })
})

test.each([
  undefined,
  '',
  'bytes 6-3/10',
  'bytes 3-10/10',
  'bytes */10',
  'bytes 3-6',
  'lines 3-6/10',
  'bytes -1-6/10',
  'bytes 0-9007199254740991/*',
  'bytes 3-6/10, bytes 7-8/10',
])('%j is no part', (header) => {
  expect(parseContentRange(header)).toBeUndefined()
})

test('the length is read where no part is given', () => {
  expect(parseUnsatisfiedRange('bytes */10')).toBe(10)
  expect(parseUnsatisfiedRange('bytes 0-1/10')).toBeUndefined()
  expect(parseUnsatisfiedRange(undefined)).toBeUndefined()
})

test.each([
  ['0', 0],
  ['123', 123],
  ['9007199254740991', 2 ** 53 - 1],
  ['9007199254740993', undefined],
  ['1, 1', undefined],
  ['-1', undefined],
  ['', undefined],
  [undefined, undefined],
])('the count in %j is %j', (text, count) => {
  expect(parseCount(text)).toBe(count)
})
