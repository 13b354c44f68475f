import { describe, expect, it, test } from 'vitest'
import { hasWildcards, isAtOrBelow, PathFilter, patternOf } from '../../core/path-filter.ts'

describe('a path', () => {
  it('means itself and all below it, and nothing beside it', () => {
    const filter = new PathFilter(['data/sub'])
    expect(filter.matches('data/sub')).toBe(true)
    expect(filter.matches('data/sub/a/b')).toBe(true)
    expect(filter.matches('data/sub2')).toBe(false)
    expect(filter.matches('data')).toBe(false)
    expect(filter.matchesAllBelow('data/sub/a')).toBe(true)
    expect(filter.matchesAllBelow('data')).toBe(false)
  })

  it('lets a search go down to it and below it alone', () => {
    const filter = new PathFilter(['data/sub'])
    expect(['data', 'data/sub', 'data/sub/a'].every((path) => filter.mayMatchBelow(path))).toBe(true)
    expect(['other', 'data/su', 'data/sub2'].some((path) => filter.mayMatchBelow(path))).toBe(false)
  })

  it('that is empty means everything', () => {
    expect(PathFilter.everything.matches('any/thing')).toBe(true)
    expect(PathFilter.everything.matchesAllBelow('')).toBe(true)
  })
})

describe('a pattern', () => {
  it('crosses directories with ** alone, and sees names that begin with a dot', () => {
    const filter = new PathFilter(['images/*/**/*.png'])
    expect(filter.matches('images/train/a/b/1.png')).toBe(true)
    expect(filter.matches('images/train/1.png')).toBe(true)
    expect(filter.matches('images/.hidden/.1.png')).toBe(true)
    expect(filter.matches('images/1.png')).toBe(false)
    expect(filter.matches('images/train/1.jpg')).toBe(false)
    expect(new PathFilter(['images/*.png']).matches('images/train/1.png')).toBe(false)
  })

  it('that matches a directory means all in it', () => {
    expect(new PathFilter(['data/t*']).matches('data/train/a/b')).toBe(true)
  })

  it('never lets a whole directory pass unseen, and prunes by its fixed beginning', () => {
    const filter = new PathFilter(['images/train/**/*.png'])
    expect(filter.matchesAllBelow('images/train')).toBe(false)
    expect(filter.mayMatchBelow('images')).toBe(true)
    expect(filter.mayMatchBelow('images/train/x')).toBe(true)
    expect(filter.mayMatchBelow('images/val')).toBe(false)
  })

  it('does not negate', () => {
    const filter = new PathFilter(['!a*'])
    expect(filter.matches('b')).toBe(false)
    expect(filter.matches('!abc')).toBe(true)
  })

  it('matches the very name that is written like it', () => {
    for (const name of ['a(b)', '{x,y}', 'd[ab]', 'what?', '+(q)', '@(x)/f', 'a*b']) {
      expect(new PathFilter([name]).matches(name)).toBe(true)
      expect(new PathFilter([name]).matches(`${name}/below`)).toBe(true)
    }
  })
})

test('several rules add up', () => {
  const filter = new PathFilter(['a', 'b/*.txt'])
  expect(['a/x', 'b/y.txt', 'b/y.bin'].map((path) => filter.matches(path))).toEqual([true, true, false])
})

test('without files, only directories pass', () => {
  const filter = new PathFilter(['data']).withoutFiles()
  expect(filter.matches('data/x')).toBe(false)
  expect(filter.matchesAllBelow('data')).toBe(false)
  expect(filter.mayMatchBelow('data/x')).toBe(true)
})

test('a literal path means itself, whatever is in it', () => {
  const filter = PathFilter.literal(['a*'])
  expect(filter.matches('a*/x')).toBe(true)
  expect(filter.matches('ab')).toBe(false)
})

test('wildcards are told from other characters', () => {
  expect(['a*', 'a?', '{a,b}', 'a[bc]', '**/x', '@(a|b)'].every(hasWildcards)).toBe(true)
  expect(['a', 'a b', 'a.b-c_d', 'ünï', '#a', '~a', 'a,b', '!a', 'a\\*'].some(hasWildcards)).toBe(false)
})

test('the pattern of a path means that path, and wildcards after it still work', () => {
  for (const name of [
    'plain',
    'a*b',
    'what?',
    '{x,y}',
    'a(b)',
    '@(x)',
    'd[ab]',
    '+(q)',
    '!no',
    `q"u'o`,
    'a|b',
    '$^',
  ]) {
    const filter = new PathFilter([`${patternOf(name)}/*.png`])
    expect(filter.matches(`${name}/1.png`), name).toBe(true)
    expect(filter.matches(`${name}/1.jpg`), name).toBe(false)
    expect(filter.matches('x/1.png'), name).toBe(false)
    expect(filter.mayMatchBelow(name), name).toBe(true)
    expect(new PathFilter([patternOf(name)]).matches(`${name}/deep/file`), name).toBe(true)
    expect(new PathFilter([patternOf(name)]).matches('x/deep/file'), name).toBe(false)
  }
})

test('at or below', () => {
  expect(isAtOrBelow('a/b', 'a')).toBe(true)
  expect(isAtOrBelow('a', 'a')).toBe(true)
  expect(isAtOrBelow('ab', 'a')).toBe(false)
  expect(isAtOrBelow('anything', '')).toBe(true)
})
