import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import {
  checkLinkTarget,
  checkName,
  checkRelativePath,
  findFoldCollisions,
  foldName,
  nameProblem,
  quoteName,
  windowsProblem,
} from '../../../core/format/names.ts'

const GIT_DISGUISES = [
  '.git',
  '.GIT',
  '.Git',
  '.gIt',
  '.giT',
  '.git.',
  '.git...',
  '.git ',
  '.git   ',
  '.git. .',
  '.git . ',
  '.GIT .',
  'git~1',
  'GIT~1',
  'GIT~2',
  'git~4',
  'GiT~9',
  'git~10',
  'GIT~1.',
  'GIT~1 ',
  'git~1 . .',
  'GI2837~1',
  'gi2837~4',
  'GI2837~1.',
  '.git:',
  '.git:stream',
  '.git::$INDEX_ALLOCATION',
  '.GIT::$index_allocation',
  '.git:$I30:$INDEX_ALLOCATION',
  '.git ::$INDEX_ALLOCATION',
  '.git.:x',
  'GIT~1::$INDEX_ALLOCATION',
  'gi2837~1:$I30',
  // Every code point that HFS+ does not compare, in turn.
  ...[
    0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x206a, 0x206b, 0x206c, 0x206d,
    0x206e, 0x206f, 0xfeff,
  ].map((point) => `.g${String.fromCodePoint(point)}it`),
  '\u200c.git',
  '.git\u200d',
  '.\u200eG\u200fI\u202at',
  '.git\ufeff.',
  '.git\u200c:x',
  // What a case-folding ext4 or f2fs does not compare: all other default-ignorable code points.
  '.g\u00adit',
  '.gi\u034ft',
  '.git\u200b',
  '.\u2060git',
  '.git\ufe0f',
  '.git\u{e0020}',
  '.git\u{e0100}',
  // Turkish letters and compatibility forms.
  '.gıt',
  '.Gİt',
  'gıt~1',
  '.ｇｉｔ',
  '．git',
  '․git',
  '.ℊit',
  '.𝐠𝐢𝐭',
  '.git\u00a0',
  'ｇit～1',
]

const HONEST_NAMES = [
  'a',
  'train.csv',
  '12:30.csv',
  'a:b:c',
  '...',
  '..a',
  '.gitignore',
  '.gitattributes',
  '.gitmodules',
  '.github',
  '.gitx',
  '.git-old',
  '.git~1',
  'git',
  'GIT',
  'git.',
  'git~',
  'git~1x',
  'git~x',
  'gitx~1',
  'gi7eba~1',
  'x.git',
  ' .git',
  '-rf',
  '~',
  '$HOME',
  '%00',
  'ends in dot.',
  'ends in space ',
  'CON',
  'naïve.txt',
  '日本語.parquet',
  'emoji 👩‍👩‍👧 ❤️.png',
  'sınır.csv',
  'e\u0301.txt',
  '\ufffd',
  '\uffff',
  'x'.repeat(255),
  'é'.repeat(127),
]

const IMPOSSIBLE_NAMES: [why: string, name: string][] = [
  ['is empty', ''],
  ['stands for a folder', '.'],
  ['stands for a folder', '..'],
  ['path separator', '/'],
  ['path separator', 'a/b'],
  ['path separator', '../x'],
  ['backslash', '\\'],
  ['backslash', 'a\\b'],
  ['backslash', '..\\x'],
  ['backslash', '.git\\config'],
  ['control character', 'a\0b'],
  ['control character', '\n'],
  ['control character', 'a\r'],
  ['control character', 'tab\t'],
  ['control character', '\u001b[31m'],
  ['control character', '\u007f'],
  ['control character', '\u0080'],
  ['control character', '\u0085'],
  ['control character', '\u009f'],
  ['lone surrogate', '\ud800'],
  ['lone surrogate', 'a\udc00'],
  ['lone surrogate', '\udc00\ud800'],
  ['longer than 255 bytes', 'x'.repeat(256)],
  ['longer than 255 bytes', 'é'.repeat(128)],
  ['longer than 255 bytes', '👩'.repeat(64)],
]

describe('checkName', () => {
  test.each(GIT_DISGUISES)('refuses %j, which reads as .git', (name) => {
    expect(nameProblem(name)).toMatch(/reads as \.git/)
    expect(() => checkName(name, 'tree X')).toThrow(hostile(/^tree X: the name ".*" reads as \.git/))
  })

  test.each(IMPOSSIBLE_NAMES)('refuses what %s: %j', (why, name) => {
    expect(nameProblem(name)).toContain(why)
    expect(() => checkName(name, 'tree X')).toThrow(hostile(/^tree X: the name "/))
  })

  test.each(HONEST_NAMES)('lets %j pass', (name) => {
    expect(nameProblem(name)).toBeUndefined()
    checkName(name, 'tree X')
  })

  test('finds .git behind any mix of case, ignorable code points and endings', () => {
    const ignorable = fc.string({
      unit: fc.constantFrom(
        '\u00ad',
        '\u034f',
        '\u200b',
        '\u200f',
        '\u202e',
        '\u2060',
        '\u206a',
        '\ufe0f',
        '\ufeff',
      ),
      maxLength: 2,
    })
    const letters = fc.tuple(
      fc.constantFrom('.'),
      fc.constantFrom(...'gG'),
      fc.constantFrom(...'iIıİ'),
      fc.constantFrom(...'tT'),
    )
    const ending = fc.stringMatching(/^[. ]{0,4}(:[a-z$]{0,4})?$/)
    fc.assert(
      fc.property(
        letters,
        fc.array(ignorable, { minLength: 5, maxLength: 5 }),
        ending,
        (four, between, end) => {
          const name = between[4] + four.map((letter, i) => letter + between[i]).join('') + end
          expect(nameProblem(name)).toMatch(/reads as \.git/)
        },
      ),
    )
  })
})

describe('checkRelativePath', () => {
  test('gives the components', () => {
    expect(checkRelativePath('a', 'x')).toEqual(['a'])
    expect(checkRelativePath('data/train/12:30 ü.csv', 'x')).toEqual(['data', 'train', '12:30 ü.csv'])
  })

  test.each([
    '',
    '/',
    '/etc/passwd',
    '//host/share',
    'a//b',
    'a/',
    './a',
    'a/./b',
    '..',
    '../a',
    'a/../../b',
    'a/..',
    'C:',
    'C:/Windows',
    'c:/x',
    '\\\\host\\share',
    'a\\..\\b',
    '.git/hooks/post-checkout',
    'data/.GIT/config',
    'data/git~1/config',
    'a/b\0c',
    'a/\n',
    `${'a/'.repeat(2048)}a`,
  ])('refuses %j', (path) => {
    expect(() => checkRelativePath(path, 'record Y')).toThrow(hostile(/^record Y: /))
  })
})

describe('checkLinkTarget', () => {
  test.each(['a', '../../elsewhere', '/etc/passwd', '.git/config', 'C:\\x', ' ', 'x'.repeat(4096)])(
    'lets %j pass',
    (target) => {
      checkLinkTarget(target, 'tree X')
    },
  )

  test.each(['', 'a\0', 'a\nb', '\u009b', '\ud800', 'x'.repeat(4097)])('refuses %j', (target) => {
    expect(() => checkLinkTarget(target, 'tree X')).toThrow(hostile(/^tree X: the link target/))
  })
})

describe('windowsProblem', () => {
  test.each([
    'CON',
    'con',
    'PRN',
    'aux',
    'NUL',
    'NUL.txt',
    'nul.tar.gz',
    'NUL .txt',
    'COM1',
    'com9.log',
    'LPT1',
    'COM¹',
    'lpt³.x',
    'COM0',
    'CONIN$',
    'conout$',
    'a.',
    'a ',
    'a:b',
    '12:30.csv',
    'a<b',
    'a>b',
    'a"b',
    'a|b',
    'what?',
    '*',
  ])('finds one in %j', (name) => {
    expect(windowsProblem(name)).toMatch(/Windows/)
  })

  test.each(['CONS', 'console.log', 'COM10', 'COM', 'xNUL', 'a.NUL', '.con', 'a b', '.a', 'aux_1', 'nul-x'])(
    'finds none in %j',
    (name) => {
      expect(windowsProblem(name)).toBeUndefined()
    },
  )
})

describe('foldName', () => {
  test.each([
    ['README', 'readme'],
    ['café', 'cafe\u0301'],
    ['CAFÉ', 'cafe\u0301'],
    ['straße', 'STRASSE'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['οδος', 'οδοσ'],
    ['ﬁle', 'FILE'],
    ['\u212aelvin', 'kelvin'],
    ['Å', '\u212b'],
    ['가', '\u1100\u1161'],
    ['ᾳ', 'ΑΙ'],
    ['i\u0307x', 'İx'],
    ['a\u200db', 'ab'],
    ['❤\ufe0f', '❤'],
  ])('takes %j and %j as one', (a, b) => {
    expect(foldName(a)).toBe(foldName(b))
  })

  test.each([
    ['a', 'b'],
    ['sınır', 'sinir'],
    ['é', 'e'],
    ['a ', 'a'],
    ['１', '1'],
  ])('keeps %j and %j apart', (a, b) => {
    expect(foldName(a)).not.toBe(foldName(b))
  })

  test('folds every pair that ECMAScript folds, which is the simple case folding of Unicode', () => {
    const missed: string[] = []
    for (let point = 0; point <= 0x1ffff; point++) {
      if (point >= 0xd800 && point <= 0xdfff) continue
      const char = String.fromCodePoint(point)
      for (const other of [char.toLowerCase(), char.toUpperCase()]) {
        if (other === char || [...other].length !== 1) continue
        const same = new RegExp(`^\\u{${point.toString(16)}}$`, 'iu').test(other)
        if (same && foldName(char) !== foldName(other)) missed.push(char)
      }
    }
    expect(missed).toEqual([])
  })

  test('is stable, and blind to normalisation and case', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        const key = foldName(name)
        expect(foldName(key)).toBe(key)
        expect(foldName(name.normalize('NFD'))).toBe(key)
        expect(foldName(name.normalize('NFC'))).toBe(key)
      }),
    )
  })
})

describe('findFoldCollisions', () => {
  test('gives the groups, in the order of the names', () => {
    expect(findFoldCollisions(['b', 'A', 'a', 'c', 'É', 'e\u0301', 'é', '__proto__'])).toEqual([
      ['A', 'a'],
      ['É', 'e\u0301', 'é'],
    ])
  })

  test('gives none where there is none', () => {
    expect(findFoldCollisions(['a', 'b', 'constructor'])).toEqual([])
  })
})

test('quoteName hides nothing from a reader and sends nothing to a terminal', () => {
  expect(quoteName('a b')).toBe('"a b"')
  expect(quoteName('"\u001b[2J\u009b\u202egnp.exe\u200d\ud800')).toBe(
    '"\\"\\u001b[2J\\u{9b}\\u{202e}gnp.exe\\u{200d}\\ud800"',
  )
  expect(quoteName('x'.repeat(1000))).toBe(`"${'x'.repeat(100)}…"`)
})

function hostile(message: RegExp) {
  return expect.toSatisfy(
    (error) =>
      error instanceof VarveError && error.code === 'HOSTILE' && message.test(error.message) && !!error.hint,
  )
}
