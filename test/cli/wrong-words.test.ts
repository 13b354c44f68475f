import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { runVarve, varve } from '../support/run-varve.ts'

async function makeProject(): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', join(makeFolder(), 'remote')], { cwd: root })
  writeFiles(root, { 'data/train/a': '1', 'models/base.bin': '2', 'sub/code.py': '3' })
  await varve(['add', 'data/train', 'models/base.bin'], { cwd: root })
  commitAll(root, 'first')
  git(root, 'tag', 'v1')
  return root
}

async function refusal(cwd: string, line: string) {
  const { exitCode, stdout, stderr } = await runVarve(line.split(' '), { cwd })
  expect(stdout).toBe('')
  const [message, hint, rest] = stderr.split('\n')
  expect(rest).toBe('')
  return { exitCode, message: message?.replace('varve: ', ''), hint: hint?.replace('hint: ', '') }
}

describe('a word that is neither a revision nor tracked', () => {
  it('is called so', async () => {
    const root = await makeProject()
    for (const command of ['checkout', 'diff']) {
      expect(await refusal(root, `${command} nope`)).toEqual({
        exitCode: 1,
        message: 'nope is neither a revision nor a tracked path',
        hint: '`varve status` lists what is tracked, `git log --oneline` and `git branch -a` the revisions.',
      })
    }
    for (const command of ['push', 'fetch', 'pull', 'status', 'checkout v1', 'diff v1']) {
      expect(await refusal(root, `${command} nope`)).toEqual({
        exitCode: 1,
        message: 'varve does not track nope',
        hint: '`varve status` lists what is tracked; `varve add PATH` tracks more.',
      })
    }
  })

  it.each([
    ['data/trian', 'data/train'],
    ['models/base', 'models/base.bin'],
    ['base.bin', 'models/base.bin'],
    ['trian', 'data/train'],
  ])('%s: the nearest tracked path is offered', async (typed, meant) => {
    const root = await makeProject()
    for (const command of ['checkout', 'diff', 'push']) {
      expect((await refusal(root, `${command} ${typed}`)).hint).toContain(`Did you mean ${meant}? `)
    }
  })

  it('gets an offer that can be typed where the user stands', async () => {
    const root = await makeProject()
    expect((await refusal(join(root, 'sub'), 'checkout ../data/trian')).hint).toContain(
      'Did you mean ../data/train? ',
    )
  })

  it('may be the name of a remote', async () => {
    const root = await makeProject()
    expect(await refusal(root, 'push origin')).toMatchObject({ hint: 'Name a remote with -r: `-r origin`.' })
  })

  it('may be a range', async () => {
    const root = await makeProject()
    expect(await refusal(root, 'diff v1..main')).toEqual({
      exitCode: 2,
      message: 'v1..main is a range, where single revisions are asked for',
      hint: 'Write the two apart where a command takes two: `v1 main`.',
    })
  })
})

test('what is tracked but not in the workspace is a path all the same', async () => {
  const root = await makeProject()
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  await varve(['push'], { cwd: root })
  await varve(['checkout', 'data/train/a'], { cwd: clone })
  await varve(['checkout', 'models'], { cwd: clone })
  expect(await varve(['diff', '--stat', 'models/base.bin'], { cwd: clone })).toBe('')
})

describe('a remote in the work tree', () => {
  const warning = (url: string, remedy: string) =>
    `warning: ${url} lies in the work tree, and git does not ignore it: \`git add .\` would take its packs into git; ${remedy}\n`

  it('that git would take in is warned of, when it is added and when it is set', async () => {
    const root = await makeProject()
    mkdirSync(join(root, 'sub/store'))
    const add = await runVarve(['remote', 'add', 'near', 'store'], { cwd: join(root, 'sub') })
    const remedy = 'add /sub/store/ to .gitignore, or choose a folder outside'
    expect(add).toMatchObject({ exitCode: 0, stderr: warning('./sub/store', remedy) })
    const set = await runVarve(['remote', 'set', 'origin', 'url', root], { cwd: root })
    expect(set).toMatchObject({ exitCode: 0, stderr: warning(root, 'choose a folder of its own') })
  })

  it('that git ignores is not, nor one in git’s own folder or elsewhere', async () => {
    const root = await makeProject()
    writeFiles(root, { '.gitignore': '/store/\n' })
    const places = ['store', 'store/deep', '.git/remote', '../elsewhere', makeFolder()]
    for (const [index, place] of places.entries()) {
      const run = await runVarve(['remote', 'add', `remote${index}`, place], { cwd: root })
      expect(run).toMatchObject({ exitCode: 0, stderr: '' })
    }
  })
})
