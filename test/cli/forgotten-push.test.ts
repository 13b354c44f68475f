import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'
import { noise } from '../support/versioned-repository.ts'

type Pushed = { versions: { path: string }[]; unavailable: { path: string; id: string }[] }

/** A clone of a repository whose `forgotten` and `forgotten.csv` were committed, but not pushed. */
async function makeClone(): Promise<{ root: string; clone: string; remote: string }> {
  const root = makeRepository()
  const remote = join(makeFolder(), 'remote')
  await varve(['init'], { cwd: root })
  await varve(['remote', 'add', 'origin', remote], { cwd: root })
  const images = {
    'images/[a]/1.png': noise('1', 5000),
    'images/b/2.png': noise('2', 5000),
    'images/c/3.png': '3',
  }
  writeFiles(root, { ...images, 'table.csv': 'table' })
  await varve(['add', 'images', 'table.csv'], { cwd: root })
  await varve(['push'], { cwd: root })
  writeFiles(root, { 'forgotten/x.bin': noise('x', 5000), 'forgotten.csv': 'forgotten' })
  await varve(['add', 'forgotten', 'forgotten.csv'], { cwd: root })
  commitAll(root, 'first')
  const clone = join(makeFolder(), 'clone')
  git(root, 'clone', '--quiet', root, clone)
  return { root, clone, remote }
}

const pathsOf = (versions: readonly { path: string }[]) => versions.map(({ path }) => path).sort()

test("a push leaves out what another forgot to push, says so, and sends one's own", async () => {
  const { root, clone } = await makeClone()
  await runVarve(['pull'], { cwd: clone })
  writeFiles(clone, { 'mine.csv': 'mine' })
  await varve(['add', 'mine.csv'], { cwd: clone })
  commitAll(clone, 'mine')
  const { stdout, stderr, exitCode } = await runVarve(['push', '--json'], { cwd: clone })
  expect(exitCode).toBe(0)
  const pushed = JSON.parse(stdout) as Pushed
  expect(pathsOf(pushed.versions)).toEqual(['mine.csv'])
  expect(pathsOf(pushed.unavailable)).toEqual(['forgotten', 'forgotten.csv'])
  expect(stderr).toMatch(/^warning: [^\n]+ whoever added it must push it\n$/)
  for (const { path, id } of pushed.unavailable) expect(stderr).toContain(`${path} ${id.slice(0, 13)}`)
  expect(await varve(['push'], { cwd: clone })).toMatch(/has everything else\nrequests: 2 list;/)

  git(root, 'pull', '--quiet', clone, 'main')
  await varve(['pull'], { cwd: root })
  expect(readFileSync(join(root, 'mine.csv'), 'utf8')).toBe('mine')
  const theirs = await varveJson<Pushed>(['push'], { cwd: root })
  expect(pathsOf(theirs.versions)).toEqual(['forgotten', 'forgotten.csv'])
  expect((await varveJson<Pushed>(['push'], { cwd: clone })).unavailable).toEqual([])
})

test('a push to a place that has none of it, from a clone without the bytes, says that nothing was pushed', async () => {
  const { clone } = await makeClone()
  const wrong = join(makeFolder(), 'wrong')
  await varve(['remote', 'add', 'wrong', wrong], { cwd: clone })
  const nothing = (were: string) => `nothing ${were} pushed to ${wrong}: the bytes are not here\n`
  expect(await varve(['push', '-r', 'wrong', '-n'], { cwd: clone })).toContain(nothing('would be'))
  expect(await varve(['push', '-r', 'wrong', '--all'], { cwd: clone })).toContain(nothing('was'))
  expect(await varve(['push', '-r', 'wrong'], { cwd: clone })).toContain(nothing('was'))
})

test('a push that names what is neither here nor there is refused', async () => {
  const { clone } = await makeClone()
  for (const [args, path] of [
    [['push', 'forgotten'], 'forgotten'],
    [['push', 'forgotten.csv', 'table.csv'], 'forgotten.csv'],
    [['push', '--rev', 'HEAD'], 'forgotten.csv'],
  ] as const) {
    await expectRefusal(
      args,
      { cwd: clone },
      { code: 'MISSING_BYTES', message: new RegExp(`the bytes of ${path} `), hint: /run `varve push`/ },
    )
  }
})

test('a pull brings what it can, then names what it cannot', async () => {
  const { root, clone, remote } = await makeClone()
  const { stdout, stderr, exitCode } = await runVarve(['pull'], { cwd: clone })
  expect({ stdout, stderr, exitCode }).toEqual({
    stdout: '',
    stderr:
      `varve: ${remote} lacks the bytes of forgotten.csv, forgotten; all other paths are in place\n` +
      'hint: Ask whoever added them to run `varve push`.\n',
    exitCode: 8,
  })
  await varve(['remote', 'add', 'other', join(makeFolder(), 'other')], { cwd: clone })
  expect((await runVarve(['pull', '-r', 'origin'], { cwd: clone })).stderr).toContain(
    'hint: Ask whoever added them to run `varve push`, or fetch from another remote: `-r NAME`.\n',
  )
  expect(readFileSync(join(clone, 'table.csv'), 'utf8')).toBe('table')
  expect(existsSync(join(clone, 'images/b/2.png'))).toBe(true)
  expect(existsSync(join(clone, 'forgotten'))).toBe(false)
  await varve(['push'], { cwd: root })
  await varve(['pull'], { cwd: clone })
  expect(readFileSync(join(clone, 'forgotten.csv'), 'utf8')).toBe('forgotten')
})

test('such a pull keeps a part a part, and loses no change', async () => {
  const { root, clone } = await makeClone()
  await varve(['pull', 'images/[a]', 'images/c'], { cwd: clone })
  // One of the wanted parts is no more.
  rmSync(join(root, 'images/c'), { recursive: true })
  await varve(['add', 'images'], { cwd: root })
  commitAll(root, 'without c')
  await varve(['push', 'images'], { cwd: root })
  git(clone, 'pull', '--quiet')
  rmSync(join(clone, 'images'), { recursive: true })
  writeFiles(clone, { 'table.csv': 'changed' })
  const lossy = { code: 'WOULD_LOSE_DATA' as const, message: /table\.csv/, hint: /--force/ }
  await expectRefusal(['pull'], { cwd: clone }, lossy)
  rmSync(join(clone, 'table.csv'))
  // From within a folder: what is pulled path by path is still that of the whole repository.
  writeFiles(clone, { 'below/notes.txt': '' })
  expect((await runVarve(['pull'], { cwd: join(clone, 'below') })).exitCode).toBe(8)
  expect(existsSync(join(clone, 'images/[a]/1.png'))).toBe(true)
  expect(existsSync(join(clone, 'images/b'))).toBe(false)
  expect(existsSync(join(clone, 'table.csv'))).toBe(true)
})
