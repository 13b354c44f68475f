import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { findCycles, importGraph, importsOf, readSources } from './support/import-graph.ts'
import {
  findCatchAlls,
  findLayerBreaks,
  findLongFiles,
  findStrayUnitTests,
  findTerminalUse,
  MAXIMUM_LINES,
} from './support/layer-rules.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

describe('the sources', () => {
  const sources = readSources(root, ['cli', 'core', 'remotes'])
  const graph = importGraph(sources)

  it('are read, with what they import', () => {
    expect(graph.get('core/content-id.ts')).toContain('core/errors.ts')
    expect(graph.get('cli/main.ts')).toContain('cli/run-process.ts')
  })

  it('import files that exist', () => {
    const missing = [...graph].flatMap(([file, imports]) =>
      imports
        .filter((imported) => /^(cli|core|remotes)\//.test(imported) && !graph.has(imported))
        .map((imported) => `${file} imports ${imported}`),
    )
    expect(missing).toEqual([])
  })

  it('import downwards only', () => {
    expect(findLayerBreaks(graph)).toEqual([])
  })

  it('import each other in no circle', () => {
    expect(findCycles(graph)).toEqual([])
  })

  it('keep core away from the terminal and the environment', () => {
    expect(findTerminalUse(sources)).toEqual([])
  })

  it('are short and named after what they hold', () => {
    expect(findLongFiles(readSources(root, ['cli', 'core', 'remotes', 'bench']))).toEqual([])
    expect(findCatchAlls(sources.keys())).toEqual([])
  })

  it('are mirrored by the unit tests', () => {
    const tests = readSources(root, ['test/unit']).keys()
    expect(findStrayUnitTests(tests, new Set(sources.keys()))).toEqual([])
  })
})

describe('the reading of imports', () => {
  it('finds every form', () => {
    const text = `#!/usr/bin/env node
import yargs, { type Options } from 'yargs'
import type { A } from './a.ts'
import {
  b,
  c,
} from "./b.ts"
import * as d from './d.ts'
import './e.ts'
export * from './f.ts'
export { g, h } from './g.ts'
export type { I } from './i.ts'
const j = await import('./j.ts')
type K = typeof import('./k.ts')
const l = createRequire(import.meta.url)('l')
`
    expect(importsOf(text).sort()).toEqual([
      ...['./a.ts', './b.ts', './d.ts', './e.ts', './f.ts', './g.ts', './i.ts', './j.ts', './k.ts'],
      ...['l', 'yargs'],
    ])
  })

  it('takes no comment or plain code for one', () => {
    const text = `// import a from './a.ts'
/** import b from './b.ts'
 * import('./c.ts') */
export const from = 'd'
const url = 'https://example.org' // import('./e.ts')
`
    expect(importsOf(text)).toEqual([])
  })

  it('resolves paths from the importing file', () => {
    const graph = importGraph(new Map([['core/store/a.ts', "import { b } from '../format/b.ts'\n"]]))
    expect(graph.get('core/store/a.ts')).toEqual(['core/format/b.ts'])
  })
})

describe('the layer rules', () => {
  const breaksOf = (file: string, imported: string) => findLayerBreaks(new Map([[file, [imported]]]))

  it.each([
    ['cli/commands/push.ts', 'core/operations/push.ts'],
    ['cli/commands/push.ts', 'remotes/open.ts'],
    ['remotes/file.ts', 'core/remote.ts'],
    ['remotes/with-retry.ts', 'remotes/file.ts'],
    ['remotes/file.ts', 'node:fs/promises'],
    ['core/operations/push.ts', 'core/transfer/upload.ts'],
    ['core/operations/push.ts', 'core/project.ts'],
    ['core/workspace/scan.ts', 'core/git/run-git.ts'],
    ['core/transfer/upload.ts', 'core/remote.ts'],
    ['core/transfer/push/upload.ts', 'core/transfer/view/known.ts'],
    ['core/transfer/fetch/download.ts', 'core/transfer/fetch/ranges.ts'],
    ['core/store/store.ts', 'core/format/pack.ts'],
    ['core/store/store.ts', 'node:fs'],
    ['core/format/pack.ts', 'core/content-id.ts'],
    ['core/workers/main.ts', 'core/workspace/hash-task.ts'],
  ])('let %s import %s', (file, imported) => {
    expect(breaksOf(file, imported)).toEqual([])
  })

  it.each([
    ['core/operations/push.ts', 'cli/render/table.ts'],
    ['core/transfer/upload.ts', 'remotes/file.ts'],
    ['remotes/file.ts', 'core/content-id.ts'],
    ['remotes/file.ts', 'cli/version.ts'],
    ['core/store/store.ts', 'core/transfer/upload.ts'],
    ['core/store/store.ts', 'core/workspace/scan.ts'],
    ['core/workspace/scan.ts', 'core/operations/add.ts'],
    ['core/transfer/upload.ts', 'core/workspace/scan.ts'],
    ['core/transfer/push/upload.ts', 'core/transfer/fetch/download.ts'],
    ['core/transfer/view/known.ts', 'core/transfer/push/upload.ts'],
    ['core/transfer/objects/read.ts', 'core/transfer/view/known.ts'],
    ['core/format/pack.ts', 'core/store/store.ts'],
    ['core/format/pack.ts', 'core/chunking/rot256.ts'],
    ['core/errors.ts', 'core/format/pack.ts'],
    ['core/git/run-git.ts', 'core/workspace/scan.ts'],
    ['core/workers/workers.ts', 'core/store/store.ts'],
    ['core/newcomer/a.ts', 'core/errors.ts'],
    ['core/format/pack.ts', 'node:fs/promises'],
    ['core/chunking/rot256.ts', 'node:worker_threads'],
    ['core/store/store.ts', 'test/support/run-varve.ts'],
  ])('do not let %s import %s', (file, imported) => {
    expect(breaksOf(file, imported)).toHaveLength(1)
  })

  it('find circles, of one file and of more', () => {
    expect(findCycles(new Map([['a', ['a']]]))).toEqual([['a', 'a']])
    const circle = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b', 'd']],
      ['d', []],
    ])
    expect(findCycles(circle)).toEqual([['b', 'c', 'b']])
    expect(findCycles(new Map([...circle, ['c', ['d']]]))).toEqual([])
  })

  it('find the terminal and the environment in core alone', () => {
    const text = '// console.log is not for core\nconst a = process.env.HOME\nconsole.log(a)\n'
    expect(findTerminalUse(new Map([['core/a.ts', text]]))).toEqual([
      'core/a.ts:2 uses process.env',
      'core/a.ts:3 uses console.',
    ])
    expect(findTerminalUse(new Map([['cli/a.ts', text]]))).toEqual([])
    const handedOn = 'const environment = {\n  ...process.env,\n}\n'
    expect(findTerminalUse(new Map([['core/git/git-process.ts', handedOn]]))).toEqual([])
    expect(findTerminalUse(new Map([['core/git/git-process.ts', text]]))).toHaveLength(2)
    expect(findTerminalUse(new Map([['core/git/other.ts', handedOn]]))).toHaveLength(1)
  })

  it('find files that are too long or hold anything', () => {
    const lines = (count: number) => 'x\n'.repeat(count)
    const sources = new Map([
      ['core/a.ts', lines(MAXIMUM_LINES)],
      ['core/b.ts', lines(MAXIMUM_LINES + 1)],
    ])
    expect(findLongFiles(sources)).toEqual([`core/b.ts has ${MAXIMUM_LINES + 1} lines`])
    expect(findCatchAlls(['core/types.ts', 'core/utils/a.ts', 'core/prototypes.ts'])).toEqual([
      'core/types.ts',
      'core/utils/a.ts',
    ])
  })

  it('find unit tests of files that are gone', () => {
    const files = new Set(['core/a/b.ts', 'core/a/b-c.ts', 'remotes/e.ts'])
    const strays = ['test/unit/a/c.test.ts', 'test/unit/a/c-b.test.ts', 'test/unit/remotes/f.test.ts']
    const tests = [
      'test/unit/a/b.test.ts',
      'test/unit/a/b-d-e.test.ts',
      'test/unit/remotes/e.test.ts',
      'test/cli/d.test.ts',
      ...strays,
    ]
    expect(findStrayUnitTests(tests, files)).toEqual(strays)
  })
})
