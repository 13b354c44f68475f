import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ensureAllIgnored, ensureIgnored, removeIgnored } from '../../../core/workspace/git-ignore-file.ts'
import { git, makeFolder, makeRepository, writeFiles } from '../../support/git-fixture.ts'

function read(root: string, path = '.gitignore'): string {
  return readFileSync(join(root, path), 'latin1')
}

/** Whether git ignores each path, which need not exist. */
function ignoredOf(root: string, paths: readonly string[]): string[] {
  try {
    const output = execFileSync('git', ['check-ignore', '-z', '--stdin'], {
      cwd: root,
      input: paths.map((path) => `./${path}\0`).join(''),
      encoding: 'utf8',
    })
    return output
      .split('\0')
      .filter((path) => path !== '')
      .map((path) => path.slice(2))
  } catch {
    return []
  }
}

describe('ensureAllIgnored', () => {
  it('writes each file once, with the lines that it lacks', () => {
    const root = makeFolder()
    writeFiles(root, { 'a/.gitignore': '/x\n', 'b/.gitignore': '/y\n' })
    expect(ensureAllIgnored(root, ['a/x', 'a/z', 'b/y', 'c', 'a/w', 'a/z'])).toEqual([
      'a/.gitignore',
      '.gitignore',
    ])
    expect(read(root, 'a/.gitignore')).toBe('/x\n/z\n/w\n')
    expect(read(root, 'b/.gitignore')).toBe('/y\n')
    expect(read(root)).toBe('/c\n')
    expect(ensureAllIgnored(root, [])).toEqual([])
  })
})

describe('ensureIgnored', () => {
  it('makes the file, then finds its own line', () => {
    const root = makeFolder()
    mkdirSync(join(root, 'a/b'), { recursive: true })
    expect(ensureIgnored(root, 'a/b/data')).toBe('a/b/.gitignore')
    expect(read(root, 'a/b/.gitignore')).toBe('/data\n')
    expect(ensureIgnored(root, 'a/b/data')).toBeUndefined()
    expect(ensureIgnored(root, 'top')).toBe('.gitignore')
    expect(ensureIgnored(root, 'top2')).toBe('.gitignore')
    expect(read(root)).toBe('/top\n/top2\n')
    expect(readdirSync(root).sort()).toEqual(['.gitignore', 'a'])
  })

  it.each([
    ['an open last line', 'x', 'x\n/data\n'],
    ['CR LF', 'x\r\ny\r\n', 'x\r\ny\r\n/data\r\n'],
    ['CR LF and an open last line', 'x\r\ny', 'x\r\ny\r\n/data\r\n'],
    ['LF last', 'x\r\ny\n', 'x\r\ny\n/data\n'],
    ['an empty file', '', '/data\n'],
    ['only a byte order mark', '\u00ef\u00bb\u00bf', '\u00ef\u00bb\u00bf/data\n'],
    ['bytes that are not UTF-8', 'caf\u00e9\n', 'caf\u00e9\n/data\n'],
    ['near misses', 'data\n/data/\n/data2\n#/data\n', 'data\n/data/\n/data2\n#/data\n/data\n'],
  ])('keeps what is there: %s', (_, before, after) => {
    const root = makeFolder()
    writeFiles(root, { '.gitignore': Buffer.from(before, 'latin1') })
    expect(ensureIgnored(root, 'data')).toBe('.gitignore')
    expect(read(root)).toBe(after)
    expect(ensureIgnored(root, 'data')).toBeUndefined()
  })

  it.each(['/data\r\nx\r\n', 'x\n/data', '\u00ef\u00bb\u00bf/data\n'])('sees the line in %j', (text) => {
    const root = makeFolder()
    writeFiles(root, { '.gitignore': Buffer.from(text, 'latin1') })
    expect(ensureIgnored(root, 'data')).toBeUndefined()
    expect(read(root)).toBe(text)
  })

  it('keeps the mode of the file', () => {
    const root = makeFolder()
    writeFiles(root, { '.gitignore': 'x\n' })
    chmodSync(join(root, '.gitignore'), 0o660)
    ensureIgnored(root, 'data')
    expect(lstatSync(join(root, '.gitignore')).mode & 0o777).toBe(0o660)
  })

  it.each([ensureIgnored, removeIgnored])('%o writes through no link', (edit) => {
    const root = makeFolder()
    const target = join(makeFolder(), 'elsewhere')
    writeFiles(target, { file: '/data\n' })
    symlinkSync(join(target, 'file'), join(root, '.gitignore'))
    expect(() => edit(root, 'data')).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_FILE',
        message: expect.stringContaining('.gitignore is a symbolic link'),
      }),
    )
    expect(readFileSync(join(target, 'file'), 'utf8')).toBe('/data\n')
  })

  it('says which file is a folder', () => {
    const root = makeFolder()
    mkdirSync(join(root, 'sub/.gitignore'), { recursive: true })
    expect(() => ensureIgnored(root, 'sub/data')).toThrow(/^sub\/\.gitignore is no regular file$/)
  })

  const awkward = [
    ['#x', 'x'],
    ['!x', 'x'],
    ['[a]', 'a'],
    ['[!a]', 'b'],
    ['a*b', 'axb'],
    ['a?b', 'axb'],
    ['**', 'a'],
    [' lead', 'lead'],
    ['trail ', 'trail'],
    ['two  ', 'two '],
    ['mid dle', 'middle'],
    ['  ', ' '],
    ['back\\slash', 'backslash'],
    ['end\\', 'end'],
    ['end\\ ', 'end\\'],
    ['{a,b}', 'a'],
    ['größe 数据 😀', 'grosse'],
    ['e\u0301', '\u00e9'],
    ['$HOME', 'HOME'],
    ['"q"', 'q'],
    [':(glob)x', 'x'],
  ] as const
  it.each(awkward)('git agrees on %j, and keeps seeing %j', (name, other) => {
    const root = makeRepository()
    // Git folds decomposed names on some platforms; here they are two names.
    git(root, 'config', 'core.precomposeunicode', 'false')
    for (const text of ['', 'x.log\r\n']) {
      writeFiles(root, { 'sub/.gitignore': text })
      ensureIgnored(root, `sub/${name}`)
      const paths = [name, other, `deep/${name}`].map((path) => `sub/${path}`)
      expect(ignoredOf(root, paths)).toEqual([`sub/${name}`])
      removeIgnored(root, `sub/${name}`)
      expect(ignoredOf(root, paths)).toEqual([])
    }
  })
})

describe('removeIgnored', () => {
  it.each([
    ['x\n/data\ny\n', 'x\ny\n'],
    ['/data\r\nx\r\n', 'x\r\n'],
    ['x\n/data', 'x\n'],
    ['/data\nx\n/data\n', 'x\n'],
    ['\u00ef\u00bb\u00bf/data\nx\n', '\u00ef\u00bb\u00bfx\n'],
    ['/data\n\n', '\n'],
    ['caf\u00e9\n/data\n', 'caf\u00e9\n'],
  ])('%j becomes %j', (before, after) => {
    const root = makeFolder()
    writeFiles(root, { '.gitignore': Buffer.from(before, 'latin1') })
    expect(removeIgnored(root, 'data')).toBe('.gitignore')
    expect(read(root)).toBe(after)
  })

  it.each(['/data\n', '/data', '/data\r\n', '\u00ef\u00bb\u00bf/data\n'])(
    'removes a file that is only %j',
    (text) => {
      const root = makeFolder()
      writeFiles(root, { 'sub/.gitignore': Buffer.from(text, 'latin1') })
      expect(removeIgnored(root, 'sub/data')).toBe('sub/.gitignore')
      expect(existsSync(join(root, 'sub/.gitignore'))).toBe(false)
    },
  )

  it.each(['', 'data\n', '/data/\n', '# /data\n'])('leaves %j alone', (text) => {
    const root = makeFolder()
    writeFiles(root, { '.gitignore': text })
    expect(removeIgnored(root, 'data')).toBeUndefined()
    expect(read(root)).toBe(text)
  })

  it('does nothing where there is no file', () => {
    expect(removeIgnored(makeFolder(), 'data')).toBeUndefined()
  })
})
