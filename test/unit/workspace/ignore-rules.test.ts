import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { IgnoreRules } from '../../../core/workspace/ignore-rules.ts'
import { type ScannedDirectory, scanDirectory } from '../../../core/workspace/scan-directory.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'varve-ignore-'))
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function write(files: Record<string, string>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
}

/** The files that a scan of `directory` finds, relative to it. */
function found(directory = ''): string[] {
  const path = join(root, directory)
  const paths: string[] = []
  const collect = (scanned: ScannedDirectory, prefix: string) => {
    for (const { name } of scanned.files()) paths.push(prefix + name)
    for (const child of scanned.directories) collect(child, `${prefix}${child.name}/`)
  }
  collect(scanDirectory({ path, label: directory, ignore: IgnoreRules.load(root, path) }), '')
  return paths.filter((path) => !path.endsWith('.varveignore')).sort()
}

describe('IgnoreRules', () => {
  test('without any .varveignore, nothing is ignored', () => {
    const rules = IgnoreRules.load(root, root)
    expect(rules.isIgnored('a', false)).toBe(false)
    expect(rules.enter('b', join(root, 'b'))).toBe(rules)
  })

  test('a deeper file overrules, and is confined to its directory', () => {
    write({
      '.varveignore': '*.log\n',
      'data/.varveignore': '!keep.log\n/local.txt\n',
      'data/keep.log': '',
      'data/drop.log': '',
      'data/local.txt': '',
      'data/sub/keep.log': '',
      'data/sub/local.txt': '',
      'keep.log': '',
    })
    expect(found()).toEqual(['data/keep.log', 'data/sub/keep.log', 'data/sub/local.txt'])
    expect(found('data')).toEqual(['keep.log', 'sub/keep.log', 'sub/local.txt'])
    expect(found('data/sub')).toEqual(['keep.log', 'local.txt'])
  })

  test('nothing is included again below an excluded directory', () => {
    write({ '.varveignore': 'cache/\n!cache/keep.bin\n', 'd/cache/keep.bin': '', 'd/a': '' })
    write({ 'd/cache/.varveignore': '!*\n' })
    expect(found('d')).toEqual(['a'])
  })

  test('a directory that a deeper file includes again keeps what is in it', () => {
    write({ '.varveignore': 'build/\n', 'sub/.varveignore': '!build/\n', 'sub/build/x/y': '', 'build/z': '' })
    expect(found()).toEqual(['sub/build/x/y'])
  })

  test('a pattern with a slash at its end is for directories alone', () => {
    write({ '.varveignore': 'tmp/\n', 'd/tmp/a': '', 'e/tmp': '' })
    expect(found()).toEqual(['e/tmp'])
  })

  test('rules do not empty the directory that was named', () => {
    write({ '.varveignore': 'data/\n', 'data/a': '', 'data/s*b/c': '', 'data/data/d': '' })
    expect(found('data')).toEqual(['a', 's*b/c'])
    write({ '.varveignore': 's\\*b\n' })
    expect(found('data/s*b')).toEqual(['c'])
    write({ '.varveignore': '\\[x\\]\n', '[x]/e': '' })
    expect(found('[x]')).toEqual(['e'])
    write({ '.varveignore': 'data/**\n' })
    expect(found('data')).toEqual([])
  })

  test('case counts', () => {
    write({ '.varveignore': '*.PNG\n', 'd/a.png': '', 'd/b.PNG': '' })
    expect(found('d')).toEqual(['a.png'])
  })

  test('a .varveignore that is a link or a directory does not count', () => {
    write({ rules: '*\n', 'd/a': '', 'd/.varveignore/x': '' })
    symlinkSync('rules', join(root, '.varveignore'))
    expect(found('d')).toContain('a')
  })

  test('many files of one directory are all judged', () => {
    write({ 'd/.varveignore': '*.tmp\n' })
    const rules = IgnoreRules.load(root, join(root, 'd'))
    for (let i = 0; i < 25_000; i++) {
      expect(rules.isIgnored(`${i}.tmp`, false)).toBe(true)
      expect(rules.isIgnored(`${i}.bin`, false)).toBe(false)
    }
  })

  test('a directory outside the repository is refused', () => {
    expect(() => IgnoreRules.load(root, tmpdir())).toThrow(
      expect.objectContaining({ code: 'OUTSIDE_REPOSITORY' }),
    )
  })

  test('agrees with git on any tree and any rules', () => {
    const name = fc.constantFrom('a', 'b', 'ab', 'a.x', 'b.y', 'A')
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join('/'))
    const segment = fc.constantFrom('a', 'b', '*', '**', 'a*', '*.x', '?', '[ab]', 'b.y', 'A', '\\a')
    const pattern = fc
      .tuple(
        fc.constantFrom('', '', '!'),
        fc.constantFrom('', '/'),
        fc.array(segment, { minLength: 1, maxLength: 3 }),
        fc.constantFrom('', '', '/'),
      )
      .map(([negation, anchor, segments, end]) => negation + anchor + segments.join('/') + end)
    const rules = fc
      .array(pattern, { minLength: 1, maxLength: 4 })
      .map((patterns) => `${patterns.join('\n')}\n`)
    execFileSync('git', ['init', '--quiet', '--bare', join(root, 'git')])
    fc.assert(
      fc.property(
        fc.array(path, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.constantFrom('', 'a/', 'b/', 'a/b/'), rules), { minLength: 1, maxLength: 3 }),
        (paths, ignoreFiles) => {
          const tree = join(root, 'tree')
          rmSync(tree, { recursive: true, force: true })
          mkdirSync(tree)
          const put = (path: string, text: string) => {
            try {
              mkdirSync(dirname(join(tree, path)), { recursive: true })
              writeFileSync(join(tree, path), text)
            } catch {
              // Another of the paths has a file where this one has a directory, or the reverse.
            }
          }
          for (const path of paths) put(path, '')
          for (const [directory, text] of ignoreFiles) put(`${directory}.varveignore`, text)

          const args = [
            `--git-dir=${join(root, 'git')}`,
            `--work-tree=${tree}`,
            '-c',
            'core.ignorecase=false',
          ]
          args.push('ls-files', '-o', '-z', '--exclude-per-directory=.varveignore')
          const byGit = execFileSync('git', args, { cwd: tree, encoding: 'utf8' })
            .split('\0')
            .filter((path) => path !== '' && !path.endsWith('.varveignore'))
            .sort()
          const ours = scanDirectory({ path: tree, label: 'tree', ignore: IgnoreRules.load(tree, tree) })
          const byUs: string[] = []
          const collect = (scanned: ScannedDirectory, prefix: string) => {
            for (const { name } of scanned.files()) byUs.push(prefix + name)
            for (const child of scanned.directories) collect(child, `${prefix}${child.name}/`)
          }
          collect(ours, '')
          expect(byUs.filter((path) => !path.endsWith('.varveignore')).sort()).toEqual(byGit)
        },
      ),
      { numRuns: 100 },
    )
  })
})
