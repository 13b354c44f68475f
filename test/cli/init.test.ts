import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'

type InitJson = { root: string; repositoryId: string; created: string[]; store: string; sharedStore: boolean }

const staged = (root: string) => git(root, 'diff', '--cached', '--name-only').split('\n')

test('init in a sub-folder sets up the repository, stages what it wrote, and says what is next', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'sub'))
  const { stdout, stderr, exitCode } = await runVarve(['init'], { cwd: join(root, 'sub') })
  expect(exitCode).toBe(0)
  expect(stdout).toContain(`wrote varve.yaml and .gitattributes`)
  expect(stderr).toContain('varve add PATH')
  expect(stderr).toContain('varve remote add')
  expect(staged(root)).toEqual(['.gitattributes', 'varve.yaml'])
  expect(readFileSync(join(root, '.gitattributes'), 'utf8')).toBe('*.varve text eol=lf\n')
})

test('again it changes nothing and stages nothing', async () => {
  const root = makeRepository()
  const first = await varveJson<InitJson>(['init'], { cwd: root })
  expect(first).toEqual({
    root,
    repositoryId: expect.stringMatching(/^[0-9a-f]{32}$/),
    created: ['varve.yaml', '.gitattributes'],
    store: join(root, '.git/varve'),
    sharedStore: false,
  })
  commitAll(root, 'first')
  const again = await varveJson<InitJson>(['init'], { cwd: root })
  expect(again).toEqual({ ...first, created: [] })
  expect(git(root, 'status', '--porcelain')).toBe('')
  const { stdout, stderr } = await runVarve(['init'], { cwd: root })
  expect(stdout).toContain('already')
  expect(stderr).toBe('')
})

test('--no-stage leaves the index alone', async () => {
  const root = makeRepository()
  await varve(['init', '--no-stage'], { cwd: root })
  expect(git(root, 'status', '--porcelain')).toBe('?? .gitattributes\n?? varve.yaml')
})

test('a clone is set up as it is; init there writes nothing', async () => {
  const root = makeRepository()
  const { repositoryId } = await varveJson<InitJson>(['init'], { cwd: root })
  commitAll(root, 'first')
  const folder = makeFolder()
  git(folder, 'clone', '--quiet', root, 'clone')
  const clone = join(folder, 'clone')
  expect(await varve(['config', 'repository'], { cwd: clone })).toBe(`${repositoryId}\n`)
  expect(await varveJson<InitJson>(['init'], { cwd: clone })).toMatchObject({ repositoryId, created: [] })
})

test('a store elsewhere is shared: each clone is registered in it, once', async () => {
  const root = makeRepository()
  const store = join(makeFolder(), 'store')
  const result = await varveJson<InitJson>(['init', '--store', store], { cwd: root })
  expect(result).toMatchObject({ store, sharedStore: true })
  const name = createHash('sha256').update(join(root, '.git')).digest('hex').slice(0, 16)
  const registered = join(store, 'clones', `${name}.json`)
  expect(JSON.parse(readFileSync(registered, 'utf8'))).toEqual({ gitCommonDir: join(root, '.git') })

  commitAll(root, 'first')
  const linked = join(makeFolder(), 'linked')
  git(root, 'worktree', 'add', '--quiet', linked)
  await varve(['init'], { cwd: linked })
  expect(readdirSync(join(store, 'clones'))).toEqual([`${name}.json`])

  const other = makeRepository()
  await varve(['init', '--store', store], { cwd: other })
  expect(readdirSync(join(store, 'clones'))).toHaveLength(2)
  expect(git(root, 'show', 'HEAD:varve.yaml')).not.toContain(store)
})

test('outside git, in a bare repository, and with a store among tracked files, it says why not', async () => {
  const folder = makeFolder()
  const outside = await runVarve(['init'], { cwd: folder })
  expect(outside.exitCode).toBe(5)
  expect(outside.stderr).toMatch(/^varve: not inside a git repository: .*\nhint: .*git init/)
  expect(readdirSync(folder)).toEqual([])

  git(folder, 'init', '--quiet', '--bare', 'bare')
  expect((await runVarve(['init'], { cwd: join(folder, 'bare') })).exitCode).toBe(5)

  const root = makeRepository()
  const inside = await runVarve(['init', '--store', 'store'], { cwd: root })
  expect(inside.exitCode).toBe(2)
  expect(git(root, 'status', '--porcelain')).toBe('')
})

test('a git that ignores varve.yaml is a conflict that can be mended', async () => {
  const root = makeRepository()
  writeFiles(root, { '.gitignore': '*.yaml\n' })
  const { exitCode, stderr } = await runVarve(['init'], { cwd: root })
  expect(exitCode).toBe(6)
  expect(stderr).toContain('varve.yaml')
})
