import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { VarveError } from '../../../core/errors.ts'
import { stampOf } from '../../../core/workspace/file-stamp.ts'
import { IgnoreRules } from '../../../core/workspace/ignore-rules.ts'
import { type ScannedDirectory, scanDirectory } from '../../../core/workspace/scan-directory.ts'
import { temporaryName } from '../../../core/workspace/temporary-name.ts'

const isPosix = process.platform !== 'win32'
const isRoot = process.getuid?.() === 0

let root: string
let data: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'varve-scan-'))
  data = join(root, 'data')
  mkdirSync(data)
})

afterEach(() => {
  // rm(1), as Node's own gives up on paths that are too long.
  if (isPosix) execFileSync('rm', ['-rf', root])
  else rmSync(root, { recursive: true, force: true })
})

function scan(options: { ignore?: IgnoreRules; onProgress?: (files: number) => void } = {}) {
  return scanDirectory({ path: data, label: 'data', ignore: IgnoreRules.load(root, data), ...options })
}

function errorOf(action: () => unknown): VarveError {
  try {
    action()
  } catch (error) {
    if (error instanceof VarveError) return error
    throw error
  }
  throw new Error('no error')
}

function plain(directory: ScannedDirectory): unknown {
  const { name, links, directories } = directory
  return { name, files: [...directory.files()], links, directories: directories.map(plain) }
}

describe('scanDirectory', () => {
  test('finds files, executables, links and empty directories', () => {
    writeFileSync(join(data, 'a.csv'), 'x,y\n')
    mkdirSync(join(data, 'empty'))
    mkdirSync(join(data, 'sub'))
    writeFileSync(join(data, 'sub/run'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync('../missing', join(data, 'sub/link'))
    symlinkSync('.', join(data, 'sub/loop'))
    const scanned = scan()
    expect(scanned.leftovers).toEqual([])
    expect(plain(scanned)).toEqual({
      name: 'data',
      files: [{ kind: 'file', name: 'a.csv', stamp: stampOf(lstatSync(join(data, 'a.csv'))) }],
      links: [],
      directories: [
        { name: 'empty', files: [], links: [], directories: [] },
        {
          name: 'sub',
          files: [{ kind: 'executable', name: 'run', stamp: stampOf(lstatSync(join(data, 'sub/run'))) }],
          links: [
            {
              kind: 'link',
              name: 'link',
              target: '../missing',
              stamp: stampOf(lstatSync(join(data, 'sub/link'))),
            },
            { kind: 'link', name: 'loop', target: '.', stamp: stampOf(lstatSync(join(data, 'sub/loop'))) },
          ],
          directories: [],
        },
      ],
    })
  })

  test('sorts by the UTF-8 bytes of names', () => {
    const names = ['B', 'a', 'a-', 'a.', 'a0', 'é', '\uff5e', '\u{1f600}']
    for (const name of [...names].reverse()) writeFileSync(join(data, name), '')
    expect([...scan().files()].map(({ name }) => name)).toEqual(names)
  })

  test('leaves out what .varveignore says, even what could not be versioned', () => {
    writeFileSync(join(root, '.varveignore'), 'sub/skip\n.git\n')
    mkdirSync(join(data, '.git'))
    mkdirSync(join(data, 'sub'))
    writeFileSync(join(data, 'sub/keep'), '')
    writeFileSync(join(data, '.varveignore'), '/sub/skip\n')
    writeFileSync(join(data, 'sub/skip'), '')
    const namesIn = (directory: ScannedDirectory) => [...directory.files()].map(({ name }) => name)
    const scanned = scan()
    expect(namesIn(scanned)).toEqual(['.varveignore'])
    expect(scanned.directories.map((directory) => [directory.name, namesIn(directory)])).toEqual([
      ['sub', ['keep']],
    ])
  })

  test('reports temporary files of its own instead of taking them for content', () => {
    mkdirSync(join(data, 'sub'))
    const leftover = join(data, 'sub', temporaryName())
    writeFileSync(leftover, '')
    const scanned = scan()
    expect(scanned.leftovers).toEqual([leftover])
    expect([...scanned.directories[0]!.files()]).toEqual([])
  })

  test('says how many files it has found', () => {
    for (let i = 0; i < 2500; i++) writeFileSync(join(data, `${i}`), '')
    const counts: number[] = []
    scan({ onProgress: (files) => counts.push(files) })
    expect(counts).toEqual([1000, 2000, 2500])
  })

  test.skipIf(!isPosix)('refuses a socket', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(data, 'sock'), resolve))
    const error = errorOf(() => scan())
    await new Promise((resolve) => server.close(resolve))
    expect(error).toMatchObject({ code: 'UNSUPPORTED_FILE', message: 'data/sock is a socket' })
    expect(error.hint).toContain('.varveignore')
  })

  test.skipIf(!isPosix)('refuses a named pipe, unless it is ignored', () => {
    mkdirSync(join(data, 'sub'))
    execFileSync('mkfifo', [join(data, 'sub/pipe')])
    expect(errorOf(() => scan())).toMatchObject({
      code: 'UNSUPPORTED_FILE',
      message: 'data/sub/pipe is a named pipe',
    })
    writeFileSync(join(data, '.varveignore'), 'pipe\n')
    expect([...scan().directories[0]!.files()]).toEqual([])
  })

  test.skipIf(process.platform !== 'linux')('refuses a name that is not UTF-8, unless it is ignored', () => {
    writeFileSync(Buffer.from(`${data}/caf\xe9.txt`, 'latin1'), '')
    const error = errorOf(() => scan())
    expect(error.code).toBe('UNSUPPORTED_FILE')
    expect(error.message).toBe('data has a name in it that is not UTF-8: caf\\xe9.txt')
    writeFileSync(join(data, '.varveignore'), 'caf?.txt\n')
    expect([...scan().files()].map(({ name }) => name)).toEqual(['.varveignore'])
  })

  test.skipIf(process.platform !== 'linux')(
    'takes a name with a true U+FFFD, beside one that is not UTF-8',
    () => {
      writeFileSync(join(data, 'caf\ufffd.txt'), '')
      expect([...scan().files()].map(({ name }) => name)).toEqual(['caf\ufffd.txt'])
      writeFileSync(Buffer.from(`${data}/caf\xe9.txt`, 'latin1'), '')
      expect(errorOf(() => scan()).message).toContain('caf\\xe9.txt')
    },
  )

  test.skipIf(process.platform !== 'linux')('refuses a link target that is not UTF-8', () => {
    symlinkSync(Buffer.from('caf\xe9', 'latin1'), join(data, 'link'))
    expect(errorOf(() => scan())).toMatchObject({
      code: 'UNSUPPORTED_FILE',
      message: 'data/link is a link whose target caf\\xe9 is not UTF-8',
    })
  })

  test.each(['.git', '.GIT', 'git~1'])('refuses %s inside', (name) => {
    mkdirSync(join(data, 'sub', name), { recursive: true })
    const error = errorOf(() => scan())
    expect(error.code).toBe('UNSUPPORTED_FILE')
    expect(error.message).toContain(`data/sub: the name "${name}"`)
    expect(error.hint).toMatch(/\.varveignore, or remove it/)
  })

  test.skipIf(!isPosix)('refuses a name with a control character, escaped', () => {
    writeFileSync(join(data, 'a\nb'), '')
    const error = errorOf(() => scan())
    expect(error.code).toBe('UNSUPPORTED_FILE')
    expect(error.message).not.toContain('\n')
  })

  test('a file that vanishes between listing and looking is taken for deleted', () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(data, name), '')
    const ignore = IgnoreRules.load(root, data)
    vi.spyOn(ignore, 'isIgnored').mockImplementation((name) => {
      if (name === 'b') rmSync(join(data, 'b'))
      return false
    })
    expect([...scan({ ignore }).files()].map(({ name }) => name)).toEqual(['a', 'c'])
  })

  test('so is a directory', () => {
    for (const name of ['a', 'b']) mkdirSync(join(data, name))
    const ignore = IgnoreRules.load(root, data)
    vi.spyOn(ignore, 'isIgnored').mockImplementation((name) => {
      if (name === 'b') renameSync(join(data, 'b'), join(root, 'b'))
      return false
    })
    expect(scan({ ignore }).directories.map(({ name }) => name)).toEqual(['a'])
  })

  test('a file that became a directory meanwhile stops the scan', () => {
    writeFileSync(join(data, 'a'), '')
    const ignore = IgnoreRules.load(root, data)
    vi.spyOn(ignore, 'isIgnored').mockImplementation(() => {
      rmSync(join(data, 'a'))
      mkdirSync(join(data, 'a'))
      return false
    })
    expect(errorOf(() => scan({ ignore })).code).toBe('CHANGED_WHILE_READING')
  })

  test.skipIf(isRoot || !isPosix)('names a directory that may not be read', () => {
    mkdirSync(join(data, 'secret'), { mode: 0o000 })
    const error = errorOf(() => scan())
    chmodSync(join(data, 'secret'), 0o755)
    expect(error.code).toBe('NO_PERMISSION')
    expect(error.message).toContain('data/secret')
  })

  test('names a directory that is not there', () => {
    const ignore = IgnoreRules.load(root, root)
    const error = errorOf(() => scanDirectory({ path: join(root, 'none'), label: 'none', ignore }))
    expect(error).toMatchObject({ code: 'NOT_FOUND', message: 'no such directory: none' })
  })

  test('does not follow a link in place of the directory itself', () => {
    symlinkSync('data', join(root, 'link'))
    const ignore = IgnoreRules.load(root, root)
    expect(errorOf(() => scanDirectory({ path: join(root, 'link'), label: 'link', ignore })).code).toBe(
      'NOT_FOUND',
    )
  })

  test('goes a thousand levels down', () => {
    mkdirSync(join(data, ...new Array(1000).fill('d')), { recursive: true })
    let depth = 0
    let at = scan().directories[0]
    while (at !== undefined) {
      depth++
      at = at.directories[0]
    }
    expect(depth).toBe(1000)
  })

  test.skipIf(!isPosix)('a path longer than the system allows is an error, not a file less', () => {
    const half = new Array(12).fill('d'.repeat(250))
    mkdirSync(join(data, ...half), { recursive: true })
    mkdirSync(join(root, ...half), { recursive: true })
    renameSync(join(root, half[0]), join(data, ...half, 'half'))
    const error = errorOf(() => scan())
    expect(error.code).toBe('IO')
    expect(error.message).toContain('ENAMETOOLONG')
  })
})
