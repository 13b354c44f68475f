import { expect, test } from 'vitest'
import { parsePublished } from '../../../../remotes/http/parse-published.ts'
import { varveErrorOf } from '../../../support/varve-error.ts'

const parse = (body: unknown) =>
  parsePublished(Buffer.from(JSON.stringify(body)), 'https://x: published.json')
const GOOD = { varve: 1, prefixes: ['index/', 'roots/'], keys: [['index/1.idx', 5]] }

test('an empty listing and one with unknown keys are read', () => {
  expect(parse({ ...GOOD, keys: [], more: {} })).toEqual({ prefixes: GOOD.prefixes, keys: [] })
  expect(parse(GOOD).keys).toEqual([['index/1.idx', 5]])
})

test.each([
  ['no JSON', '<html>'],
  ['a list', []],
  ['nothing', null],
  ['no version', { ...GOOD, varve: undefined }],
  ['a version in words', { ...GOOD, varve: '1' }],
  ['no prefixes', { ...GOOD, prefixes: undefined }],
  ['a prefix that is none', { ...GOOD, prefixes: ['index'] }],
  ['a prefix that leads outside', { ...GOOD, prefixes: ['../'] }],
  ['a prefix of everything', { ...GOOD, prefixes: ['', '/'] }],
  ['no keys', { ...GOOD, keys: {} }],
  ['a key without size', { ...GOOD, keys: [['index/1.idx']] }],
  ['a key alone', { ...GOOD, keys: ['index/1.idx'] }],
  ['a size below 0', { ...GOOD, keys: [['index/1.idx', -1]] }],
  ['a size that is no whole number', { ...GOOD, keys: [['index/1.idx', 1.5]] }],
  ['a size in words', { ...GOOD, keys: [['index/1.idx', '1']] }],
  [
    'keys out of order',
    {
      ...GOOD,
      keys: [
        ['index/2', 1],
        ['index/1', 1],
      ],
    },
  ],
  [
    'a key twice',
    {
      ...GOOD,
      keys: [
        ['index/1', 1],
        ['index/1', 1],
      ],
    },
  ],
])('%s is MALFORMED', (_name, body) => {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const { code, message } = varveErrorOf(() => parsePublished(bytes, 'https://x: published.json'))
  expect(code).toBe('MALFORMED')
  expect(message).toContain('https://x: published.json')
})

test.each([
  'index/../varve.json',
  'index/',
  'index//1',
  'index/.hidden',
  '/index/1',
  'packs/1',
  'index/a b',
  `index/${'a'.repeat(300)}`,
])('the name %s is HOSTILE', (key) => {
  expect(varveErrorOf(() => parse({ ...GOOD, keys: [[key, 1]] })).code).toBe('HOSTILE')
})

test('a later version is TOO_NEW', () => {
  expect(varveErrorOf(() => parse({ ...GOOD, varve: 2 })).code).toBe('TOO_NEW')
})
