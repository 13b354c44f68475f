import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { git, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { treeOf } from '../support/tree-of.ts'

type Added = {
  added: { path: string; pointer: string; change: string; kind: string; id?: string; files: number }[]
  storedBytes: number
}

async function makeProject(files: Record<string, string>): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, files)
  return root
}

const read = (root: string, path: string) => readFileSync(join(root, path), 'utf8')

test('writes the pointer, ignores the data and stages both; the second time it has nothing to do', async () => {
  const root = await makeProject({ 'sub/data/a': '1', 'sub/data/b': '22' })
  const first = await varveJson<Added>(['add', 'sub/data'], { cwd: root })
  expect(first.added).toEqual([
    {
      path: 'sub/data',
      pointer: 'sub/data.varve',
      change: 'new',
      kind: 'dir',
      id: expect.stringMatching(/^b3:[0-9a-f]{64}$/),
      sizeBytes: 3,
      files: 2,
    },
  ])
  const text = `varve: 1\nkind: dir\nid: ${first.added[0]!.id}\nsize: 3\nfiles: 2\n`
  expect(read(root, 'sub/data.varve')).toBe(text)
  expect(read(root, 'sub/.gitignore')).toBe('/data\n')
  expect(git(root, 'status', '--porcelain').split('\n')).toEqual([
    'A  .gitattributes',
    'A  sub/.gitignore',
    'A  sub/data.varve',
    'A  varve.yaml',
  ])
  const second = await varveJson<Added>(['add', 'sub/data', 'sub/data.varve', 'sub/data/../data/'], {
    cwd: root,
  })
  expect(second).toMatchObject({ added: [{ path: 'sub/data', change: 'unchanged' }], storedBytes: 0 })
})

test('content that is there already is not stored again', async () => {
  const root = await makeProject({ a: 'the same bytes '.repeat(9000), b: 'the same bytes '.repeat(9000) })
  await varve(['add', 'a'], { cwd: root })
  const { storedBytes } = await varveJson<Added>(['add', 'b'], { cwd: root })
  expect(storedBytes).toBe(0)
})

test('--no-stage leaves git alone', async () => {
  const root = await makeProject({ a: '1' })
  const index = git(root, 'ls-files', '--stage')
  await varve(['add', 'a', '--no-stage'], { cwd: root })
  expect(git(root, 'ls-files', '--stage')).toBe(index)
  expect(git(root, 'status', '--porcelain')).toContain('?? a.varve')
})

test('description, labels and keys of other programs outlive the next add', async () => {
  const root = await makeProject({ a: '1' })
  await varve(['add', 'a', '--desc', 'first: "try"', '--meta', 'camera=3', '--meta', 'url=x=y'], {
    cwd: root,
  })
  appendFileSync(join(root, 'a.varve'), 'later:\n  - of another program\n')
  writeFiles(root, { a: '2' })
  await varve(['add', 'a', '--meta', 'camera=4'], { cwd: root })
  const pointer = read(root, 'a.varve')
  const further = `meta:\n  desc: 'first: "try"'\n  camera: 4\n  url: x=y\nlater:\n  - of another program\n`
  expect(pointer.endsWith(`size: 1\n${further}`)).toBe(true)
  const { added } = await varveJson<Added>(['add', 'a'], { cwd: root })
  expect(added).toMatchObject([{ change: 'unchanged' }])
  expect(read(root, 'a.varve')).toBe(pointer)
})

describe('a pattern', () => {
  it('takes what it matches: no pointers, no hidden files, nothing of git', async () => {
    const root = await makeProject({
      'm/a.onnx': '1',
      'm/deep/b.onnx': '2',
      'm/c.txt': '3',
      'm/.d.onnx': '4',
    })
    await varve(['add', 'm/a.onnx'], { cwd: root })
    const { added } = await varveJson<Added>(['add', 'm/**/*.onnx*'], { cwd: root })
    expect(added.map(({ path, change }) => [path, change])).toEqual([
      ['m/a.onnx', 'unchanged'],
      ['m/deep/b.onnx', 'new'],
    ])
  })

  it('is read from where the user is, and quoted names are names', async () => {
    const root = await makeProject({ 's/a[1].csv': '1', 's/a1.csv': '2', 's/b.csv': '3' })
    const { added } = await varveJson<Added>(['add', 'a[1].csv'], { cwd: join(root, 's') })
    expect(added.map(({ path }) => path)).toEqual(['s/a[1].csv'])
    const rest = await varveJson<Added>(['add', '*.csv'], { cwd: join(root, 's') })
    expect(rest.added.map(({ path }) => path)).toEqual(['s/a1.csv', 's/a[1].csv', 's/b.csv'])
  })
})

test('unusual names are versioned, shown, left and brought back', async () => {
  const names = [
    'sp ace ',
    'qu\'o"te',
    '{x,y}',
    'a(b)',
    '@(x)',
    'd[ab]',
    'a*b',
    'what?',
    '-lead',
    '!no',
    '#hash',
  ]
  names.push(':colon', '~home', 'ünï', 'u\u0308ni nfd', '日本', '$var', 'a,b;c&d|e<f>')
  const root = await makeProject(Object.fromEntries(names.map((name) => [`${name}/f ${name}`, name])))
  await varve(['add', '--', ...names], { cwd: root })
  expect(git(root, 'status', '--porcelain', '--untracked-files=all', '-z')).not.toContain('??')
  const whole = treeOf(root)
  writeFiles(root, Object.fromEntries(names.map((name) => [`${name}/f ${name}`, 'changed'])))
  const { paths } = await varveJson<{ paths: { path: string; state: string }[] }>(['status'], { cwd: root })
  expect(paths.map(({ path }) => path).sort()).toEqual([...names].sort())
  expect(new Set(paths.map(({ state }) => state))).toEqual(new Set(['modified']))
  await varve(['checkout', '--force'], { cwd: root })
  expect(treeOf(root)).toEqual(whole)
})

test('names that are one name elsewhere, or none, are warned of and tracked', async () => {
  const root = await makeProject({
    'd/Read.me': '1',
    'd/read.ME': '2',
    'd/e/é': '3',
    'd/e/e\u0301': '4',
    'd/con': '5',
  })
  const { stderr, exitCode } = await runVarve(['add', 'd'], { cwd: root })
  expect(exitCode).toBe(0)
  expect(stderr.split('\n').filter((line) => line !== '')).toEqual([
    'warning: d: "Read.me" and "read.ME" are one name on macOS and Windows',
    'warning: d: "con" is a device on Windows',
    expect.stringMatching(/^warning: d\/e: ".+" and ".+" are one name on macOS and Windows$/),
  ])
})

test('.varveignore leaves files out, and is itself a file of the version', async () => {
  const root = await makeProject({
    '.varveignore': '*.log\n',
    'd/.varveignore': '/tmp/\n!keep.log\n',
    'd/a.log': '1',
    'd/keep.log': '2',
    'd/tmp/x': '3',
    'd/e/tmp/x': '4',
  })
  await varve(['add', 'd'], { cwd: root })
  const listed = await varve(['ls', '--recursive', 'd'], { cwd: root })
  expect(listed).toContain('keep.log')
  expect(listed).toContain('e/tmp/x')
  expect(listed).not.toContain('a.log')
  const { paths } = await varveJson<{ paths: unknown[] }>(['status'], { cwd: root })
  expect(paths).toMatchObject([{ state: 'unchanged' }])
  await varve(['checkout'], { cwd: root })
  expect(read(root, 'd/a.log')).toBe('1')
})

test('a directory that git ignores for another reason can be tracked, if its pointer is not ignored', async () => {
  const root = await makeProject({ '.gitignore': '/data*\n!*.varve\n', 'data/a': '1' })
  mkdirSync(join(root, 'data/empty'))
  await varve(['add', 'data'], { cwd: root })
  expect(git(root, 'ls-files', 'data.varve')).toBe('data.varve')
})
