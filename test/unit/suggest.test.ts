import { expect, test } from 'vitest'
import { suggest } from '../../core/suggest.ts'

test.each([
  ['remote', 'remotes'],
  ['remotse', 'remotes'],
  ['defualt', 'default'],
  ['URL', 'url'],
  ['urk', 'url'],
  ['stor', 'store'],
  ['repostory', 'repository'],
])('%s was meant to be %s', (word, meant) => {
  expect(suggest(word, ['version', 'repository', 'remotes', 'default', 'store', 'url'])).toBe(meant)
})

test('nothing is suggested for what is far from all', () => {
  expect(suggest('banana', ['version', 'remotes'])).toBeUndefined()
  expect(suggest('x', [])).toBeUndefined()
  expect(suggest('', ['url'])).toBeUndefined()
})

test('the nearest goes first', () => {
  expect(suggest('origim', ['original', 'origin'])).toBe('origin')
})
