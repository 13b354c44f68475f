import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { contentIdOf, EMPTY_DIGEST } from '../../../core/content-id.ts'
import { type ErrorCode, VarveError } from '../../../core/errors.ts'
import { nameProblem } from '../../../core/format/names.ts'
import {
  compareNames,
  decodeTree,
  EMPTY_TREE_ID,
  encodeTree,
  type TreeEntry,
} from '../../../core/format/tree.ts'
import { diffEntries } from '../../../core/format/tree-diff.ts'

const GOLDEN: Record<string, { id: string; entries: TreeEntry[] }> = {
  'empty.hex': { id: 'b3:48fc721fbbc172e0925fa27af1671de225ba927134802998b10a1568a188652b', entries: [] },
  'every-kind.hex': {
    id: 'b3:cecdd66977316de7d78bad87b397d619dfba4ffacfe79ede48d655c92a3c9149',
    entries: [
      { kind: 'file', name: 'a', sizeBytes: 0, digest: EMPTY_DIGEST },
      { kind: 'file', name: 'b.csv', sizeBytes: 5, digest: counting(0x10) },
      { kind: 'file', name: 'big', sizeBytes: Number.MAX_SAFE_INTEGER, digest: counting(0xf0) },
      { kind: 'dir', name: 'images', sizeBytes: 231211312, digest: counting(0x80) },
      { kind: 'link', name: 'latest', target: '../v2/é' },
      { kind: 'executable', name: 'run.sh', sizeBytes: 300, digest: counting(0x40) },
    ],
  },
  'order.hex': {
    id: 'b3:4fc4029f0036678b1f3ef6a44e8ab224bd232314c12ad25505b1e61626f19bfd',
    entries: (
      [
        ['12:30', 13],
        ['B', 4],
        ['a', 0],
        ['a-b', 2],
        ['a.b', 1],
        ['ab', 3],
        ['e\u0301', 6],
        ['é', 5],
        ['日本', 12],
        ['\ue000', 7],
        ['\ufffd', 9],
        ['\uffff', 8],
        ['\u{10000}', 11],
        ['\u{1f600}', 10],
      ] as const
    ).map(([name, first]) => ({ kind: 'file', name, sizeBytes: 1, digest: counting(first) })),
  },
}

describe('golden trees', () => {
  test('there is an expectation for every file', () => {
    expect(readdirSync(goldenUrl('')).sort()).toEqual(Object.keys(GOLDEN).sort())
  })

  test.each(Object.keys(GOLDEN))('%s', (name) => {
    const bytes = readGolden(name)
    const { entries, id } = GOLDEN[name]!
    expect(plain(decodeTree(bytes, name))).toEqual(plain(entries))
    expect(encodeTree(entries.toReversed())).toEqual(bytes)
    expect(contentIdOf(bytes)).toBe(id)
  })

  test('EMPTY_TREE_ID is the id of the listing of nothing', () => {
    expect(EMPTY_TREE_ID).toBe(GOLDEN['empty.hex']!.id)
  })
})

describe('encodeTree and decodeTree', () => {
  test('undo each other, whatever the order', () => {
    fc.assert(
      fc.property(anyListing(), (entries) => {
        const bytes = encodeTree(entries)
        const decoded = decodeTree(bytes, 't')
        expect(plain(decoded)).toEqual(plain(sorted(entries)))
        expect(encodeTree(entries.toReversed())).toEqual(bytes)
        expect(encodeTree(decoded)).toEqual(bytes)
      }),
    )
  })

  test('digests are views into the bytes', () => {
    const bytes = readGolden('every-kind.hex')
    for (const entry of decodeTree(bytes, 't')) {
      if (entry.kind !== 'link') expect(entry.digest.buffer).toBe(bytes.buffer)
    }
  })

  test('a listing that shares its beginning and end with another shares their bytes', () => {
    const entries = sorted(GOLDEN['order.hex']!.entries)
    const whole = encodeTree(entries)
    const without = encodeTree(entries.toSpliced(7, 1))
    const gone = encodeTree(entries.slice(7, 8)).subarray(1)
    const at = encodeTree(entries.slice(0, 7)).length
    expect(whole).toEqual(Buffer.concat([without.subarray(0, at), gone, without.subarray(at)]))
  })

  test('refuse what no directory can hold', () => {
    const file: TreeEntry = { kind: 'file', name: 'a', sizeBytes: 0, digest: EMPTY_DIGEST }
    const refuse = (entry: TreeEntry) => refusal(() => encodeTree([entry])).code
    expect(refuse({ ...file, name: '..' })).toBe('HOSTILE')
    expect(refuse({ ...file, name: '.git' })).toBe('HOSTILE')
    expect(refuse({ kind: 'dir', name: 'a/b', sizeBytes: 0, digest: EMPTY_DIGEST })).toBe('HOSTILE')
    expect(refuse({ kind: 'link', name: 'GIT~1', target: 'a' })).toBe('HOSTILE')
    expect(refuse({ kind: 'link', name: 'a', target: '' })).toBe('HOSTILE')
    expect(refusal(() => encodeTree([file, { kind: 'link', name: 'a', target: 'b' }])).code).toBe('MALFORMED')
    for (const sizeBytes of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => encodeTree([{ ...file, sizeBytes }])).toThrow(RangeError)
    }
    expect(() => encodeTree([{ ...file, digest: Buffer.alloc(31) }])).toThrow(RangeError)
  })

  const file = (name: string | Buffer) =>
    Buffer.concat([Buffer.from([0]), text(name), Buffer.alloc(8), Buffer.alloc(32)])
  const link = (name: string, target: string | Buffer) =>
    Buffer.concat([Buffer.from([3]), text(name), text(target)])
  const bad: [what: string, code: ErrorCode, message: RegExp, parts: (Buffer | number[])[]][] = [
    ['no bytes', 'MALFORMED', /^t: cut short at byte 0/, []],
    ['version 0', 'MALFORMED', /^t: a directory listing of version 0/, [[0]]],
    ['version 2', 'TOO_NEW', /^t: a directory listing of version 2/, [[2, 9, 9]]],
    ['version 255', 'TOO_NEW', /^t: a directory listing of version 255/, [[255]]],
    [
      'an unknown kind',
      'MALFORMED',
      /^t: an entry of unknown kind at byte 1/,
      [[1, 4], file('a').subarray(1)],
    ],
    ['kind 255', 'MALFORMED', /^t: an entry of unknown kind at byte 45/, [[1], file('a'), [255]]],
    ['bytes after the end', 'MALFORMED', /^t: cut short/, [[1], file('a'), [0]]],
    ['a wrong order', 'MALFORMED', /^t: the entry "a" comes after "b"/, [[1], file('b'), file('a')]],
    ['the order of UTF-16', 'MALFORMED', /comes after/, [[1], file('\u{10000}'), file('\ue000')]],
    ['a name twice', 'MALFORMED', /^t: two entries are named "a"/, [[1], file('a'), file('a')]],
    [
      'a name twice, of two kinds',
      'MALFORMED',
      /^t: two entries are named "a"/,
      [[1], file('a'), link('a', 'b')],
    ],
    [
      'a size of 2^53',
      'MALFORMED',
      /2\^53/,
      [[1, 0], text('a'), [0, 0, 0, 0, 0, 0, 0x20, 0], Buffer.alloc(32)],
    ],
    ['a size of 2^64 - 1', 'MALFORMED', /2\^53/, [[1, 0], text('a'), Buffer.alloc(8, 255), Buffer.alloc(32)]],
    ['an empty name', 'HOSTILE', /^t: the name "" is empty/, [[1], file('')]],
    ['an empty name later on', 'HOSTILE', /^t: the name "" is empty/, [[1], file('a'), file('')]],
    ['..', 'HOSTILE', /^t: the name "\.\."/, [[1], file('..')]],
    ['a separator', 'HOSTILE', /^t: the name "a\/b"/, [[1], file('a/b')]],
    ['a NUL', 'HOSTILE', /^t: the name .* control character/, [[1], file('a\0')]],
    ['.git', 'HOSTILE', /reads as \.git/, [[1], file('.Git ')]],
    ['a name of 256 bytes', 'HOSTILE', /longer than 255 bytes/, [[1], file('x'.repeat(256))]],
    ['a name of 65535 bytes', 'HOSTILE', /longer than 255 bytes/, [[1], file('x'.repeat(65535))]],
    ['an empty target', 'HOSTILE', /^t: the link target "" is empty/, [[1], link('a', '')]],
    ['a target with NUL', 'HOSTILE', /^t: the link target .* control character/, [[1], link('a', 'b\0')]],
    ['a long target', 'HOSTILE', /longer than 4096 bytes/, [[1], link('a', 'x'.repeat(4097))]],
    [
      'a target of not UTF-8',
      'MALFORMED',
      /^t: a link target that is not UTF-8 at byte 5/,
      [[1], link('a', Buffer.from([0xff]))],
    ],
  ]

  test.each(bad)('refuse %s', (_what, code, message, parts) => {
    const bytes = Buffer.concat(parts.map((part) => Buffer.from(part)))
    const error = refusal(() => decodeTree(bytes, 't'))
    expect(error.message).toMatch(message)
    expect(error.code).toBe(code)
  })

  test.each([
    ['a lone continuation', [0x80]],
    ['a byte that is never used', [0xff]],
    ['a lead byte alone', [0xc3]],
    ['a sequence cut short', [0xe2, 0x82]],
    ['an overlong /', [0xc0, 0xaf]],
    ['an overlong .', [0xe0, 0x80, 0xae]],
    ['a NUL in two bytes', [0xc0, 0x80]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a pair of surrogates (CESU-8)', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['a real U+FFFD, then a bad byte', [0xef, 0xbf, 0xbd, 0xff]],
  ])('refuse a name that is not UTF-8: %s', (_what, bytes) => {
    const listing = Buffer.concat([Buffer.from([1]), file(Buffer.from([0x61, ...bytes, 0x62]))])
    const error = refusal(() => decodeTree(listing, 't'))
    expect(error).toMatchObject({ code: 'MALFORMED', message: expect.stringContaining('not UTF-8') })
  })

  test.each(['\ufffd', '\ufeffa', 'a\ufffd\ufffdb', '\uffff', '\u{10ffff}'])(
    'keep the odd but sound name %j',
    (name) => {
      const [entry] = decodeTree(Buffer.concat([Buffer.from([1]), file(name)]), 't')
      expect(entry?.name).toBe(name)
    },
  )

  test('take any truncation and any flip of bits for another canonical listing, or refuse it', () => {
    const link: TreeEntry = { kind: 'link', name: 'z', target: '日' }
    for (const bytes of [...Object.keys(GOLDEN).map(readGolden), encodeTree([link])]) {
      for (let at = 0; at < bytes.length; at++) {
        expectCanonicalOrRefused(bytes.subarray(0, at))
        const flipped = Buffer.from(bytes)
        for (const mask of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
          flipped[at] = bytes[at]! ^ mask
          expectCanonicalOrRefused(flipped)
        }
        expectCanonicalOrRefused(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]))
      }
    }
  })

  test('take arbitrary bytes for a canonical listing, or refuse them', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        expectCanonicalOrRefused(Buffer.from([1, ...bytes]))
      }),
    )
  })
})

test('compareNames orders as the bytes of UTF-8 do', () => {
  const unit = fc.constantFrom(
    'a',
    'b',
    '\x7f',
    '\x80',
    'é',
    '\u07ff',
    '\u0800',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
    '\u{10400}',
    '\u{10ffff}',
  )
  const string = fc.oneof(
    fc.string({ unit, maxLength: 6 }),
    fc.string({ unit: 'binary' }).filter((s) => !/\p{Surrogate}/u.test(s)),
  )
  fc.assert(
    fc.property(string, string, (a, b) => {
      expect(Math.sign(compareNames(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
    { numRuns: 2000 },
  )
})

describe('diffEntries', () => {
  test('finds what a comparison of two maps finds, in order', () => {
    fc.assert(
      fc.property(anyListing('abcAB'), anyListing('abcAB'), fc.array(fc.nat(20)), (some, others, shared) => {
        const after = sorted([
          ...others,
          ...pick(some, shared).filter((entry) => !others.some(({ name }) => name === entry.name)),
        ])
        const before = sorted(some)
        expect([...diffEntries(before, after)]).toEqual(naiveDiff(before, after))
      }),
      { numRuns: 500 },
    )
  })

  test('sees every way in which two entries differ, and no other', () => {
    const file: TreeEntry = { kind: 'file', name: 'a', sizeBytes: 1, digest: counting(1) }
    const link: TreeEntry = { kind: 'link', name: 'a', target: 'x' }
    const count = (before: TreeEntry, after: TreeEntry) => [...diffEntries([before], [after])].length
    expect(count(file, { ...file, digest: Buffer.from(file.digest) })).toBe(0)
    expect(count(link, { ...link })).toBe(0)
    expect(count(file, { ...file, kind: 'executable' })).toBe(1)
    expect(count(file, { ...file, kind: 'dir' })).toBe(1)
    expect(count(file, { ...file, sizeBytes: 2 })).toBe(1)
    expect(count(file, { ...file, digest: counting(2) })).toBe(1)
    expect(count(file, link)).toBe(1)
    expect(count(link, file)).toBe(1)
    expect(count(link, { ...link, target: 'y' })).toBe(1)
  })
})

function anyListing(letters?: string): fc.Arbitrary<TreeEntry[]> {
  const name = (
    letters === undefined
      ? fc.oneof(
          fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
          fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
        )
      : fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 2 })
  ).filter((text) => nameProblem(text) === undefined)
  const digest = fc.constantFrom(0, 1, 2).map(counting)
  const sizeBytes = letters === undefined ? fc.maxSafeNat() : fc.constantFrom(0, 1)
  const target = fc.constantFrom('a', '../b', 'é', '/')
  const entry: fc.Arbitrary<TreeEntry> = fc.oneof(
    fc.record({
      kind: fc.constantFrom('file' as const, 'executable' as const, 'dir' as const),
      name,
      sizeBytes,
      digest,
    }),
    fc.record({ kind: fc.constant('link' as const), name, target }),
  )
  return fc.uniqueArray(entry, { selector: (each) => each.name, maxLength: 20 })
}

function naiveDiff(before: TreeEntry[], after: TreeEntry[]): unknown[] {
  const sides = new Map<string, { before?: TreeEntry; after?: TreeEntry }>()
  for (const entry of before) sides.set(entry.name, { before: entry })
  for (const entry of after) sides.set(entry.name, { ...sides.get(entry.name), after: entry })
  return [...sides]
    .filter(([, side]) => JSON.stringify(plain([side.before!])) !== JSON.stringify(plain([side.after!])))
    .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .map(([name, side]) => ({ name, ...side }))
}

function pick(entries: TreeEntry[], indexes: number[]): TreeEntry[] {
  return [...new Set(indexes)].flatMap((index) => entries[index] ?? [])
}

function sorted(entries: readonly TreeEntry[]): TreeEntry[] {
  return entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
}

/** Entries with digests as hex, so that two are equal whatever class holds the bytes. */
function plain(entries: readonly (TreeEntry | undefined)[]): unknown[] {
  return entries.map((entry) =>
    entry === undefined || entry.kind === 'link'
      ? entry
      : {
          kind: entry.kind,
          name: entry.name,
          sizeBytes: entry.sizeBytes,
          digest: Buffer.from(entry.digest).toString('hex'),
        },
  )
}

function counting(first: number): Buffer {
  return Buffer.from(Array.from({ length: 32 }, (_, i) => first + i))
}

function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  return Buffer.concat([Buffer.from([bytes.length & 255, bytes.length >> 8]), bytes])
}

function expectCanonicalOrRefused(bytes: Buffer): void {
  let entries: TreeEntry[]
  try {
    entries = decodeTree(bytes, 't')
  } catch (error) {
    if (!(error instanceof VarveError)) throw error
    return
  }
  if (!encodeTree(entries).equals(bytes)) throw new Error(`not canonical: ${bytes.toString('hex')}`)
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
  return new URL(`../../golden/tree/v1/${name}`, import.meta.url)
}

/** Hex digits; what is white between them is for the reader. */
function readGolden(name: string): Buffer {
  return Buffer.from(readFileSync(goldenUrl(name), 'latin1').replace(/\s/g, ''), 'hex')
}
