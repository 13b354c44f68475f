import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ContentId } from '../../../core/content-id.ts'
import { encodePointer, type Pointer, parsePointer } from '../../../core/format/pointer.ts'
import { readMeta, withMeta } from '../../../core/format/pointer-meta.ts'
import { varveErrorOf } from '../../support/varve-error.ts'

const ID = 'b3:2f1c7f5d0e8a4b6c9d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c' as ContentId
const GOLDEN = new URL('../../golden/pointer/v1/dir-with-more-keys.yaml', import.meta.url)

describe('readMeta and withMeta', () => {
  const plain: Pointer = { kind: 'file', id: ID, sizeBytes: 5, extra: '' }

  test('scalars are strings as they were typed', async () => {
    const extra =
      'meta:\n  desc: yes\n  version: 1.10\n  date: 2024-01-02\n  none: null\n  empty:\n  hex: 0x10\n  list: [1, a]\n'
    expect(await readMeta({ ...plain, extra })).toEqual({
      desc: 'yes',
      version: '1.10',
      date: '2024-01-02',
      none: 'null',
      empty: '',
      hex: '0x10',
      list: ['1', 'a'],
    })
    expect(await readMeta(plain)).toEqual({})
    expect(await readMeta({ ...plain, extra: 'meta:\n' })).toEqual({})
  })

  test('a new block stands before the other further keys', async () => {
    const pointer = await withMeta(
      { ...plain, extra: 'source:\n  url: x\n' },
      { description: 'Signs', labels: { v: '1.10' } },
    )
    expect(pointer).toEqual({ ...plain, extra: 'meta:\n  desc: Signs\n  v: 1.10\nsource:\n  url: x\n' })
  })

  test('an edit changes its keys alone', async () => {
    const before = parsePointer(readFileSync(GOLDEN, 'utf8'), 'golden')
    const after = await withMeta(before, { labels: { owner: 'a: b', new: '' } })
    expect(after.extra).toBe(before.extra.replace('  owner: vision-team\n', '  owner: "a: b"\n  new: ""\n'))
    expect(await withMeta(before, {})).toBe(before)
    expect(await withMeta(before, { labels: {} })).toBe(before)
  })

  test('comments, order and forms of the other keys stay', async () => {
    const extra =
      "x: 1\nmeta: \n    # mine\n    b:   'two'  # too\n    a: |\n      text\n\n      more\n    z: 0\ny: 2\n"
    const after = await withMeta({ ...plain, extra }, { labels: { z: '9' } })
    expect(after.extra).toContain('# mine\n')
    expect(after.extra).toContain("b: 'two' # too\n")
    expect(after.extra).toMatch(/^x: 1\nmeta:[\s\S]*\ny: 2\n$/)
    expect(await readMeta(after)).toEqual({ b: 'two', a: 'text\n\nmore\n', z: '9' })
  })

  test('any text is kept, on one line a key, and nothing else moves', async () => {
    const text = fc
      .string({ unit: 'grapheme', maxLength: 60 })
      .filter((value) => !/[\p{Cc}\p{Cs}]/u.test(value))
    const odd = fc.constantFrom(
      '',
      ' ',
      'null',
      '~',
      'yes',
      '- a',
      '# c',
      'a: b',
      'a #b',
      '{',
      '[',
      '*a',
      '&a',
      '!!int 3',
      '|',
      '>',
      '%a',
      '@',
      '`',
      '? a',
      '---',
      '...',
      '<<',
      'a\nb\n',
      '\n',
      '\t',
      "'",
      '"',
      '\\',
      '\u2028',
      '\ufeff',
      '\u202e',
      '__proto__',
      'x'.repeat(100),
    )
    const value = fc.oneof(text, odd)
    const label = fc.oneof(text, odd).filter((key) => key !== '' && key !== 'desc' && !/[\n\t]/.test(key))
    await fc.assert(
      fc.asyncProperty(value, fc.dictionary(label, value, { maxKeys: 4 }), async (description, labels) => {
        const after = await withMeta(
          { ...plain, extra: 'a: 1\nmeta:\n  old: x\nb: 2\n' },
          { description, labels },
        )
        const keys = Object.keys(labels)
        expect(parsePointer(encodePointer(after), 'p')).toEqual(after)
        expect(after.extra).toMatch(/^a: 1\nmeta:\n(?: {2}[^\n]*\n)+b: 2\n$/)
        expect(after.extra.split('\n').length - 1).toBe(5 + keys.filter((key) => key !== 'old').length)
        const meta = await readMeta(after)
        expect(meta.desc).toBe(description)
        for (const key of keys) expect(Object.getOwnPropertyDescriptor(meta, key)?.value).toBe(labels[key])
        expect(await withMeta(after, { description, labels })).toEqual(after)
      }),
    )
  })

  test.each(['', 'desc', 'a\nb', 'a\0', '\ud800', 'x'.repeat(129)])('refuses the label %j', async (label) => {
    expect(varveErrorOf(() => withMeta(plain, { labels: { [label]: 'x' } }))).toMatchObject({ code: 'USAGE' })
  })

  test('refuses a value that is too long', async () => {
    expect(varveErrorOf(() => withMeta(plain, { description: 'x'.repeat(65_537) }))).toMatchObject({
      code: 'USAGE',
    })
  })

  test.each(['\0', '\u001b[1m', '\r', '\u0085', '\ud800'])('refuses the value %j', async (value) => {
    expect(varveErrorOf(() => withMeta(plain, { description: value }))).toMatchObject({ code: 'USAGE' })
    expect(varveErrorOf(() => withMeta(plain, { labels: { a: value } }))).toMatchObject({ code: 'USAGE' })
  })

  test.each([
    ['a scalar', 'meta: x\n'],
    ['a sequence', 'meta:\n- a\n'],
    ['a key twice', 'meta:\n  a: 1\n  a: 2\n'],
    ['an open bracket', 'meta: {a\n'],
    ['an unknown alias', 'meta:\n  a: *b\n'],
    ['a bad indentation', 'meta:\n    a: 1\n  b: 2\n'],
    ['very deep nesting', `meta: ${'['.repeat(100_000)}\n`],
    [
      'aliases that multiply',
      `meta:\n  a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, i) => `  a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join('')}`,
    ],
  ])('refuses %s', async (_what, extra) => {
    expect(varveErrorOf(() => readMeta({ ...plain, extra }))).toMatchObject({ code: 'MALFORMED' })
  })
})
