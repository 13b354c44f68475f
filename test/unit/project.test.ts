import { mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { initProject, openProject, toRepositoryPath } from '../../core/project.ts'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'

const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

test('init writes the config and the attributes line, and stages nothing', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'sub'))
  const { created, project } = await initProject(join(root, 'sub'))
  expect(created).toEqual(['varve.yaml', '.gitattributes'])
  expect(read(root, 'varve.yaml')).toMatch(/^version: 1\nrepository: "?[0-9a-f]{32}"?\n$/)
  expect(read(root, '.gitattributes')).toBe('*.varve text eol=lf\n')
  expect(git(root, 'diff', '--cached', '--name-only')).toBe('')
  expect(project).toEqual(await openProject(join(root, 'sub')))
  expect(project).toMatchObject({
    storeFolder: join(root, '.git/varve'),
    localFolder: join(root, '.git/varve'),
    statCacheFolder: join(root, '.git/varve/stat-cache'),
  })
})

test('init again changes nothing, and each repository has an id of its own', async () => {
  const root = makeRepository()
  const first = await initProject(root)
  const again = await initProject(root)
  expect(again.created).toEqual([])
  expect(again.project).toEqual(first.project)
  const other = await initProject(makeRepository())
  expect(other.project.config.repositoryId).not.toBe(first.project.config.repositoryId)
})

test('init keeps what the files hold already', async () => {
  const root = makeRepository()
  writeFiles(root, { '.gitattributes': '*.png binary', 'varve.yaml': '# mine\nversion: 1\ndefault: a\n' })
  expect((await initProject(root)).created).toEqual(['varve.yaml', '.gitattributes'])
  expect(read(root, '.gitattributes')).toBe('*.png binary\n*.varve text eol=lf\n')
  expect(read(root, 'varve.yaml')).toMatch(/^# mine\nversion: 1\ndefault: a\nrepository: "?[0-9a-f]{32}"?\n$/)
})

test('init knows its line in another spacing, and does not write through a link', async () => {
  const root = makeRepository()
  writeFiles(root, { '.gitattributes': 'a b\r\n*.varve   text\teol=lf\r\n' })
  expect((await initProject(root)).created).toEqual(['varve.yaml'])
  const linked = makeRepository()
  const outside = join(makeFolder(), 'outside')
  writeFiles(outside, { file: 'mine' })
  symlinkSync(join(outside, 'file'), join(linked, '.gitattributes'))
  await expect(initProject(linked)).rejects.toMatchObject({ code: 'BAD_CONFIG' })
  expect(read(outside, 'file')).toBe('mine')
})

test('a clone is a project with the same id, and needs no init', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  commitAll(root, 'first')
  const folder = makeFolder()
  git(folder, 'clone', '--quiet', root, 'clone')
  const clone = await openProject(join(folder, 'clone'))
  expect(clone.config.repositoryId).toBe(project.config.repositoryId)
  expect(clone.storeFolder).toBe(join(folder, 'clone/.git/varve'))
})

test('worktrees share store and local config, and have a stat cache each', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  commitAll(root, 'first')
  const linked = join(makeFolder(), 'linked')
  git(root, 'worktree', 'add', '--quiet', linked)
  const other = await openProject(linked)
  expect(other.storeFolder).toBe(project.storeFolder)
  expect(other.localFolder).toBe(project.localFolder)
  expect(other.statCacheFolder).toBe(join(root, '.git/worktrees/linked/varve/stat-cache'))
})

test('before init, and outside git, opening says what to do', async () => {
  await expect(openProject(makeRepository())).rejects.toMatchObject({
    code: 'NOT_INITIALISED',
    hint: expect.stringContaining('varve init'),
  })
  await expect(openProject(makeFolder())).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' })
  await expect(initProject(makeFolder())).rejects.toMatchObject({ code: 'NOT_A_REPOSITORY' })
})

test('a store elsewhere is a local setting, absolute, and never committed', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'sub'))
  const { created, project } = await initProject(join(root, 'sub'), { store: '../../the store' })
  const store = join(root, '../the store')
  expect(created).toEqual(['varve.yaml', '.gitattributes'])
  expect(project.storeFolder).toBe(store)
  expect(project.localFolder).toBe(join(root, '.git/varve'))
  expect(read(root, '.git/varve/config.yaml')).toBe(`store: ${store}\n`)
  expect(read(root, 'varve.yaml')).not.toContain('store')
  expect((await initProject(root)).project.storeFolder).toBe(store)
})

test('another store is refused once the first one holds packs, and nothing is written', async () => {
  const root = makeRepository()
  const first = join(makeFolder(), 'first')
  const second = join(makeFolder(), 'second')
  await initProject(root, { store: second })
  await initProject(root, { store: first })
  mkdirSync(join(first, 'packs/ab'), { recursive: true })
  await initProject(root, { store: second })
  await initProject(root, { store: first })
  writeFiles(first, { 'packs/ab/ab12.pack': 'x' })
  await expect(initProject(root, { store: second })).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringContaining(first),
  })
  expect((await openProject(root)).storeFolder).toBe(first)

  const link = join(makeFolder(), 'link')
  symlinkSync(first, link)
  expect((await initProject(root, { store: link })).project.storeFolder).toBe(link)
})

test('the default store with packs in it is no less guarded', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  writeFiles(project.storeFolder, { 'packs/ab/ab12.pack': 'x' })
  await expect(initProject(root, { store: makeFolder() })).rejects.toMatchObject({ code: 'CONFLICT' })
})

test('a store in the work tree is refused before anything is written', async () => {
  const root = makeRepository()
  await expect(initProject(root, { store: 'data/store' })).rejects.toMatchObject({ code: 'USAGE' })
  expect(git(root, 'status', '--porcelain')).toBe('')
})

test('a path is taken from where the user stands, in any spelling', async () => {
  const root = makeRepository()
  mkdirSync(join(root, 'a/b'), { recursive: true })
  await initProject(root)
  const project = await openProject(join(root, 'a'))
  const cases: Record<string, string> = {
    x: 'a/x',
    './b/../x': 'a/x',
    'b/': 'a/b',
    '.': 'a',
    '..': '',
    '../': '',
    '../c': 'c',
    [root]: '',
    [join(root, 'c/d')]: 'c/d',
    '..x/y': 'a/..x/y',
    'not/there/yet': 'a/not/there/yet',
    ' ': 'a/ ',
    '-x': 'a/-x',
    'é\n"': 'a/é\n"',
    '.github/x': 'a/.github/x',
    '.gitignore': 'a/.gitignore',
  }
  for (const [userPath, expected] of Object.entries(cases)) {
    expect(toRepositoryPath(project, userPath), userPath).toBe(expected)
  }
})

test('links on the way are followed, a link at the end is meant itself', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  const outside = makeFolder()
  mkdirSync(join(root, 'real/deep'), { recursive: true })
  symlinkSync(root, join(outside, 'to-root'))
  symlinkSync('real', join(root, 'inner'))
  symlinkSync(outside, join(root, 'leaves'))
  symlinkSync('nowhere', join(root, 'dangling'))
  expect(toRepositoryPath(project, join(outside, 'to-root'))).toBe('')
  expect(toRepositoryPath(project, join(outside, 'to-root/real/new'))).toBe('real/new')
  expect(toRepositoryPath(project, 'inner/deep/new/er')).toBe('real/deep/new/er')
  expect(toRepositoryPath(project, 'inner')).toBe('inner')
  expect(toRepositoryPath(project, 'leaves')).toBe('leaves')
  expect(toRepositoryPath(project, 'dangling')).toBe('dangling')
  expect(() => toRepositoryPath(project, 'leaves/x')).toThrow(
    expect.objectContaining({ code: 'OUTSIDE_REPOSITORY' }),
  )
})

test('what lies outside is refused, and says so', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  for (const path of ['..', '../x', '/', '/etc/passwd', `${root}-sibling`, `${root}/../x`]) {
    expect(() => toRepositoryPath(project, path), path).toThrow(
      expect.objectContaining({ code: 'OUTSIDE_REPOSITORY', message: expect.stringContaining(path) }),
    )
  }
})

test("git's own folders are refused, also by a link or in capitals", async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  symlinkSync('.git', join(root, 'link'))
  for (const path of ['.git', '.git/config', '.GIT/config', 'x/.git', 'link/config']) {
    expect(() => toRepositoryPath(project, path), path).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_FILE' }),
    )
  }
  expect(toRepositoryPath(project, 'link')).toBe('link')
})

test('what lies in a nested repository belongs to that one; the nested folder itself does not', async () => {
  const root = makeRepository()
  const { project } = await initProject(root)
  mkdirSync(join(root, 'sub/deep'), { recursive: true })
  git(join(root, 'sub'), 'init', '--quiet')
  expect(() => toRepositoryPath(project, 'sub/deep/x')).toThrow(
    expect.objectContaining({
      code: 'OUTSIDE_REPOSITORY',
      message: expect.stringContaining(join(root, 'sub')),
    }),
  )
  expect(toRepositoryPath(project, 'sub')).toBe('sub')
  rmSync(join(root, 'sub/.git'), { recursive: true })
  expect(toRepositoryPath(project, 'sub/deep/x')).toBe('sub/deep/x')
})

test('no path is a mistake in the command', async () => {
  const { project } = await initProject(realpathSync(makeRepository()))
  for (const path of ['', 'a\0b']) {
    expect(() => toRepositoryPath(project, path)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  }
})
