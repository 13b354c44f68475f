import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  ContentHasher,
  contentIdFromDigest,
  contentIdOf,
  digestFromContentId,
  digestOf,
  EMPTY_DIGEST,
  hexOf,
  isContentId,
  parseContentId,
} from '../../core/content-id.ts'
import { varveErrorOf } from '../support/varve-error.ts'

const EMPTY = 'b3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262'

test('the id of the empty byte string', () => {
  expect(contentIdOf(new Uint8Array(0))).toBe(EMPTY)
  expect(contentIdFromDigest(EMPTY_DIGEST)).toBe(EMPTY)
})

test('ids and digests are two forms of one thing', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const id = contentIdOf(bytes)
      expect(isContentId(id)).toBe(true)
      expect(parseContentId(id)).toBe(id)
      expect(digestFromContentId(id)).toEqual(digestOf(bytes))
      expect(contentIdFromDigest(digestOf(bytes))).toBe(id)
      expect(`b3:${hexOf(digestOf(bytes))}`).toBe(id)
    }),
  )
})

test('hexOf reads a view from where it begins', () => {
  expect(hexOf(new Uint8Array([1, 2, 0xab, 0xcd]).subarray(2))).toBe('abcd')
})

test.each([
  '',
  'b3:',
  EMPTY.slice(0, -1),
  `${EMPTY}0`,
  `${EMPTY}\n`,
  EMPTY.toUpperCase(),
  EMPTY.replace('b3:', 'b2:'),
  EMPTY.replace('af', 'AF'),
  ` ${EMPTY}`,
])('%j is no id', (text) => {
  expect(isContentId(text)).toBe(false)
  expect(varveErrorOf(() => parseContentId(text)).code).toBe('MALFORMED')
})

test('an error quotes no more than the beginning of what is no id', () => {
  expect(varveErrorOf(() => parseContentId('x'.repeat(10_000))).message.length).toBeLessThan(120)
})

test('ContentHasher takes a byte string in pieces', () => {
  const hasher = new ContentHasher()
  for (const piece of ['one ', '', 'two']) hasher.update(Buffer.from(piece))
  expect(hasher.digest()).toEqual(digestOf(Buffer.from('one two')))
})
