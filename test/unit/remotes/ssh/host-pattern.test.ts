import { expect, test } from 'vitest'
import { matchesPattern, matchesPatternList } from '../../../../remotes/ssh/host-pattern.ts'

test.each([
  ['example.org', 'example.org', true],
  ['example.org', 'exampleXorg', false],
  ['*', '', true],
  ['*.example.org', 'a.b.example.org', true],
  ['*.example.org', 'example.org', false],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'a-b-b', false],
  ['10.0.0.?', '10.0.0.7', true],
  ['10.0.0.?', '10.0.0.', false],
  ['10.0.0.?', '10.0.0.77', false],
  ['[127.0.0.1]:*', '[127.0.0.1]:2222', true],
  ['', '', true],
  ['', 'a', false],
])('pattern %j on %j: %s', (pattern, text, expected) => {
  expect(matchesPattern(pattern, text)).toBe(expected)
})

test('a pattern of many stars is answered at once', () => {
  expect(matchesPattern('*a'.repeat(5000), 'a'.repeat(4999))).toBe(false)
})

test('a negated pattern wins over all others, and matches nothing by itself', () => {
  expect(matchesPatternList(['*.org', '!bad.org'], 'good.org')).toBe(true)
  expect(matchesPatternList(['*.org', '!bad.org'], 'bad.org')).toBe(false)
  expect(matchesPatternList(['!bad.org', '*'], 'bad.org')).toBe(false)
  expect(matchesPatternList(['!bad.org'], 'good.org')).toBe(false)
})
