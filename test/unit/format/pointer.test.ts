import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ContentId, contentIdFromDigest } from '../../../core/content-id.ts'
import { type ErrorCode, VarveError } from '../../../core/errors.ts'
import { encodePointer, type Pointer, parsePointer } from '../../../core/format/pointer.ts'

const ID = 'b3:2f1c7f5d0e8a4b6c9d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d5e4f3a2b1c' as ContentId
const FILE = `varve: 1\nkind: file\nid: ${ID}\nsize: 5\n`
const DIR = `varve: 1\nkind: dir\nid: ${ID}\nsize: 5\nfiles: 1\n`
const LINK = 'varve: 1\nkind: link\ntarget: "a"\nsize: 0\n'

const GOLDEN: Record<string, Pointer> = {
  'file.yaml': {
    kind: 'file',
    id: 'b3:af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262' as ContentId,
    sizeBytes: 0,
    extra: '',
  },
  'executable.yaml': {
    kind: 'executable',
    id: 'b3:d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24' as ContentId,
    sizeBytes: Number.MAX_SAFE_INTEGER,
    extra: '',
  },
  'dir.yaml': { kind: 'dir', id: ID, sizeBytes: 231211312, files: 20000, extra: '' },
  'link.yaml': { kind: 'link', target: '../shared/latest', sizeBytes: 0, extra: '' },
  'link-awkward.yaml': {
    kind: 'link',
    target: 'C:\\data\\"é" # no: comment \u2028\ufeff 日本',
    sizeBytes: 0,
    extra: '',
  },
  'dir-with-more-keys.yaml': {
    kind: 'dir',
    id: ID,
    sizeBytes: 231211312,
    files: 20000,
    extra: [
      'meta:',
      "  desc: 'Street signs, 2024: the cleaned set'",
      '  accuracy: 0.930',
      '  owner: vision-team',
      'source:',
      '  type: archive',
      '  url: https://example.org/signs.tar',
      'x-other-tool:',
      '- one',
      '- 2',
      '',
      '- |',
      '  kept as it is:   ',
      '    # even this',
      '',
    ].join('\n'),
  },
}

describe('golden pointers', () => {
  test('there is an expectation for every file', () => {
    expect(readdirSync(goldenUrl('')).sort()).toEqual(Object.keys(GOLDEN).sort())
  })

  test.each(Object.keys(GOLDEN))('%s', (name) => {
    const text = readGolden(name)
    expect(parsePointer(text, name)).toEqual(GOLDEN[name])
    expect(encodePointer(GOLDEN[name]!)).toBe(text)
  })
})

describe('parsePointer', () => {
  test('is undone by encodePointer, and undoes it', () => {
    fc.assert(
      fc.property(anyPointer(), (pointer) => {
        const text = encodePointer(pointer)
        expect(parsePointer(text, 'p')).toEqual(pointer)
        expect(text).toMatch(/^varve: 1\n[^\r]*\n$/)
      }),
    )
  })

  test('reads CR LF as LF', () => {
    for (const name of Object.keys(GOLDEN)) {
      expect(parsePointer(readGolden(name).replaceAll('\n', '\r\n'), name)).toEqual(GOLDEN[name])
    }
  })

  test('takes any single change of a byte for another valid pointer, or refuses it', () => {
    for (const whole of [readGolden('dir-with-more-keys.yaml'), readGolden('link-awkward.yaml')]) {
      for (let at = 0; at < whole.length; at++) {
        for (const char of ['', '\n', ' ', '#', '"', '\\', ':', '0', '\0', '\ud800']) {
          expectCanonicalOrRefused(whole.slice(0, at) + char + whole.slice(at + 1))
        }
        expectCanonicalOrRefused(whole.slice(0, at))
      }
    }
  })

  const bad: [code: ErrorCode, message: RegExp, text: string][] = [
    ['MALFORMED', /^p, line 1: the file ends where "varve:" should stand/, ''],
    ['MALFORMED', /^p, line 1: "varve: …" should stand here/, '\n'],
    ['MALFORMED', /^p, line 1: "varve: …" should stand here/, 'version https://git-lfs.github.com/spec/v1\n'],
    ['MALFORMED', /^p, line 1: "varve: …" should stand here/, 'outs:\n- md5: a\n'],
    ['MALFORMED', /^p, line 1: a byte order mark/, `\ufeff${FILE}`],
    ['MALFORMED', /^p, line 1: "varve: …" should stand here/, `# hello\n${FILE}`],
    ['MALFORMED', /^p, line 1: "varve: …" should stand here/, `---\n${FILE}`],
    ['MALFORMED', /^p, line 1: "varve: 1" should stand here/, FILE.replace('1', '0')],
    ['MALFORMED', /^p, line 1: "varve: 1" should stand here/, FILE.replace('1', '01')],
    ['MALFORMED', /^p, line 1: "varve: 1" should stand here/, FILE.replace('1', '1.5')],
    ['MALFORMED', /^p, line 1: "varve: 1" should stand here/, FILE.replace('1', '"2"')],
    ['TOO_NEW', /^p: a pointer of version 2/, FILE.replace('1', '2')],
    ['TOO_NEW', /^p: a pointer of version 10/, 'varve: 10\nsomething: else\n'],
    ['MALFORMED', /^p, line 4: no line feed at the end/, FILE.slice(0, -1)],
    ['MALFORMED', /^p, line 5: an empty line/, `${FILE}\n`],
    ['MALFORMED', /^p, line 3: the file ends where "id:" should stand/, 'varve: 1\nkind: file\n'],
    [
      'MALFORMED',
      /^p, line 2: "kind" should be file, executable, link or dir/,
      FILE.replace('file', 'folder'),
    ],
    ['MALFORMED', /^p, line 2: "kind" should be/, FILE.replace('file', 'File')],
    ['MALFORMED', /^p, line 2: "kind" should be/, FILE.replace('file', 'file ')],
    ['MALFORMED', /^p, line 2: "kind" should be/, FILE.replace('file', 'file # x')],
    ['MALFORMED', /^p, line 2: "kind: …" should stand here/, FILE.replace('kind: ', 'kind:')],
    ['MALFORMED', /^p, line 3: "id" should be b3:/, FILE.replace('2f1c', '2F1C')],
    ['MALFORMED', /^p, line 3: "id" should be b3:/, FILE.replace('2f1c', '2f1')],
    ['MALFORMED', /^p, line 3: "id" should be b3:/, FILE.replace('b3:', 'sha256:')],
    ['MALFORMED', /^p, line 3: "id: …" should stand here/, FILE.replace(`id: ${ID}`, 'target: "a"')],
    ['MALFORMED', /^p, line 3: "id: …" should stand here/, FILE.replace(/(id.*\n)(size.*\n)/, '$2$1')],
    ...[
      '-1',
      '+1',
      '01',
      '1.0',
      '1e3',
      '0x5',
      '',
      ' 5',
      '5 ',
      '1_000',
      '9007199254740992',
      '99999999999999999999',
      '٥',
      '"5"',
    ].map((size): [ErrorCode, RegExp, string] => [
      'MALFORMED',
      /^p, line 4: "size" should be a whole number/,
      FILE.replace('size: 5', `size: ${size}`),
    ]),
    ['MALFORMED', /^p, line 5: "files: …" should stand here/, DIR.replace('files: 1\n', 'meta:\n')],
    ['MALFORMED', /^p, line 5: the file ends where "files:"/, DIR.replace('files: 1\n', '')],
    ['MALFORMED', /^p, line 5: "files" should be a whole number/, DIR.replace('files: 1', 'files: -1')],
    ['MALFORMED', /^p, line 5: the key "files" is out of place/, `${FILE}files: 1\n`],
    ['MALFORMED', /^p, line 7: the key "id" is out of place/, `${FILE}meta:\n  a: b\nid: ${ID}\n`],
    ['MALFORMED', /^p, line 6: the key "varve" is out of place/, `${DIR}varve: 1\n`],
    ['MALFORMED', /^p, line 6: the key "meta" comes twice/, `${FILE}meta:\nmeta:\n`],
    ['MALFORMED', /^p, line 5: a pointer holds no comments/, `${FILE}# a\n`],
    ['MALFORMED', /^p, line 6: a pointer holds no comments/, `${FILE}meta:\n# a\n`],
    ['MALFORMED', /^p, line 5: an empty line/, `${FILE}\nmeta:\n`],
    ['MALFORMED', /^p, line 6: an empty line at the end/, `${FILE}meta:\n\n`],
    ['MALFORMED', /^p, line 5: neither a key/, `${FILE}  a: b\n`],
    ['MALFORMED', /^p, line 5: neither a key/, `${FILE}"meta": x\n`],
    ['MALFORMED', /^p, line 5: neither a key/, `${FILE}---\n`],
    ['MALFORMED', /^p, line 6: neither a key/, `${FILE}a:\n...\n`],
    ['MALFORMED', /^p, line 6: neither a key/, `${FILE}a:\n? b\n`],
    ['MALFORMED', /^p, line 6: neither a key/, `${FILE}a:\n\tb: c\n`],
    ['MALFORMED', /^p, line 5: a control character/, `${FILE}a: \0\n`],
    ['MALFORMED', /^p, line 5: a control character/, `${FILE}a: \u001b[2J\n`],
    ['MALFORMED', /^p, line 2: a control character/, FILE.replace('file', 'fi\rle')],
    ['MALFORMED', /^p, line 5: not valid Unicode/, `${FILE}a: \ud800\n`],
    ['MALFORMED', /^p, line 3: "target" should be text in double quotes/, LINK.replace('"a"', 'a')],
    ['MALFORMED', /^p, line 3: "target" should be text in double quotes/, LINK.replace('"a"', "'a'")],
    ['MALFORMED', /^p, line 3: "target" should be text in double quotes/, LINK.replace('"a"', '["a"]')],
    ['MALFORMED', /^p, line 3: "target" should be text in double quotes/, LINK.replace('"a"', '5')],
    ['MALFORMED', /^p, line 3: "target" should be text in double quotes/, LINK.replace('"a"', '"\\x41"')],
    ['MALFORMED', /^p, line 3: "target" is not written in its one form/, LINK.replace('"a"', '"\\u0061"')],
    ['MALFORMED', /^p, line 3: "target" is not written in its one form/, LINK.replace('"a"', '"a" ')],
    ['MALFORMED', /^p, line 3: "target" is not written in its one form/, LINK.replace('"a"', '"\\/a"')],
    [
      'MALFORMED',
      /^p, line 3: "target" is not written in its one form/,
      LINK.replace('"a"', '"\\u2028\\uFEFF"'),
    ],
    ['MALFORMED', /^p, line 4: "size" of a link should be 0/, LINK.replace('0', '1')],
    ['HOSTILE', /^p: the link target .* is empty/, LINK.replace('"a"', '""')],
    ['HOSTILE', /^p: the link target .* control character/, LINK.replace('"a"', '"a\\u0000"')],
    ['HOSTILE', /^p: the link target .* control character/, LINK.replace('"a"', '"a\\nb"')],
    ['HOSTILE', /^p: the link target .* lone surrogate/, LINK.replace('"a"', '"\\ud800"')],
    [
      'HOSTILE',
      /^p: the link target .* longer than 4096 bytes/,
      LINK.replace('"a"', `"${'é'.repeat(2049)}"`),
    ],
    ['HOSTILE', /^p: larger than the 1 MiB/, `${FILE}a: ${'x'.repeat(1024 * 1024)}\n`],
    ['HOSTILE', /^p: larger than the 1 MiB/, `${FILE}a: ${'é'.repeat(512 * 1024)}\n`],
    [
      'CONFLICT',
      /^p, line 3: a merge left this pointer in conflict/,
      `varve: 1\nkind: file\n<<<<<<< HEAD\nid: ${ID}\nsize: 5\n=======\nid: ${ID}\nsize: 6\n>>>>>>> other\n`,
    ],
    ['CONFLICT', /^p, line 1/, `<<<<<<< ours\n${FILE}||||||| base\n=======\n>>>>>>> theirs\n`],
    ['CONFLICT', /^p, line 3/, `varve: 1\r\nkind: file\r\n<<<<<<< HEAD\r\n=======\r\n>>>>>>> x\r\n`],
  ]

  test.each(bad)('%s %s', (code, message, text) => {
    const error = refusal(() => parsePointer(text, 'p'))
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
    expect(error.hint).toMatch(/^[A-Z].*\.$/)
  })

  test('says what to do about a conflict', () => {
    const error = refusal(() => parsePointer('<<<<<<< HEAD\n', 'data/train.varve'))
    expect(error.message).toContain('data/train.varve')
    expect(error.hint).toMatch(/git checkout --ours.*--theirs.*varve add/)
  })

  test('a link target may say what a name may not, for it is never followed', () => {
    for (const target of ['/etc/passwd', '../../..', '.git/config', 'a\\b', '\u202e', '#', ' ']) {
      const pointer: Pointer = { kind: 'link', target, sizeBytes: 0, extra: '' }
      expect(parsePointer(encodePointer(pointer), 'p')).toEqual(pointer)
    }
  })
})

describe('encodePointer', () => {
  test.each([
    ['no key', 'a\n'],
    ['a comment', '# a\n'],
    ['no line feed at the end', 'a: b'],
    ['a known key', 'id: x\n'],
    ['an empty line at the end', 'a: b\n\n'],
    ['no key later on', 'a: b\nc\n'],
    ['a key twice', 'a:\na:\n'],
    ['a NUL', 'a: \0\n'],
    ['too much with the known keys', `a: ${'x'.repeat(1024 * 1024 - 20)}\n`],
  ])('refuses further keys that could not be read back: %s', (_what, extra) => {
    refusal(() => encodePointer({ kind: 'file', id: ID, sizeBytes: 5, extra }))
  })

  test('takes wrong numbers and ids for a bug', () => {
    const pointer: Pointer = { kind: 'file', id: ID, sizeBytes: 5, extra: '' }
    for (const sizeBytes of [-1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => encodePointer({ ...pointer, sizeBytes })).toThrow(RangeError)
    }
    expect(() => encodePointer({ ...pointer, id: 'b3:1' as ContentId })).toThrow(RangeError)
    expect(() => encodePointer({ ...pointer, extra: 'a: b\r\n' })).toThrow(RangeError)
  })
})

function anyPointer(): fc.Arbitrary<Pointer> {
  const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(contentIdFromDigest)
  const count = fc.maxSafeNat()
  const line = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  const block = fc.tuple(fc.stringMatching(/^[a-z]{1,4}$/), line, fc.array(line, { maxLength: 3 }))
  const extra = fc
    .uniqueArray(block, { maxLength: 3, selector: ([key]) => key })
    .map((blocks) =>
      blocks
        .map(([key, first, rest]) => [`x-${key}: ${first}\n`, ...rest.map((text) => `  ${text}\n`)].join(''))
        .join(''),
    )
  const target = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 30 })
    .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text))
  return fc.oneof(
    fc.record({ kind: fc.constantFrom('file' as const, 'executable' as const), id, sizeBytes: count, extra }),
    fc.record({ kind: fc.constant('dir' as const), id, sizeBytes: count, files: count, extra }),
    fc.record({ kind: fc.constant('link' as const), target, sizeBytes: fc.constant(0 as const), extra }),
  )
}

function expectCanonicalOrRefused(text: string): void {
  let pointer: Pointer
  try {
    pointer = parsePointer(text, 'p')
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return
  }
  expect(encodePointer(pointer)).toBe(text)
}

function refusal(run: () => unknown): VarveError {
  try {
    run()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

function goldenUrl(name: string): URL {
  return new URL(`../../golden/pointer/v1/${name}`, import.meta.url)
}

function readGolden(name: string): string {
  return readFileSync(goldenUrl(name), 'utf8')
}
