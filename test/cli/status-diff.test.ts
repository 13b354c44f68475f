import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commitAll, git, makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { expectRefusal } from '../support/refusal.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'

type Status = { remote: string | null; paths: { path: string; state: string; onRemote?: boolean }[] }

async function makeProject(files: Record<string, string>, tracked: readonly string[]): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  writeFiles(root, files)
  await varve(['add', ...tracked], { cwd: root })
  commitAll(root, 'first')
  return root
}

describe('status', () => {
  it('says for each path what is the matter with it, and with the remote', async () => {
    const root = await makeProject({ a: 'a', 'b/x': '1', 'b/y': '22', c: 'c', d: 'd' }, ['a', 'b', 'c', 'd'])
    expect(
      (await varveJson<Status>(['status'], { cwd: root })).paths.map(({ onRemote }) => onRemote),
    ).toEqual([...[undefined, undefined, undefined, undefined]])
    const remote = join(makeFolder(), 'remote')
    await varve(['remote', 'add', 'origin', remote], { cwd: root })
    await varve(['push', 'a', 'b'], { cwd: root })
    writeFiles(root, { 'b/x': 'changed', 'b/z/new': 'new' })
    renameSync(join(root, 'b/y'), join(root, 'b/renamed'))
    rmSync(join(root, 'c'))
    const { stdout } = await runVarve(['status'], { cwd: root })
    expect(stdout.split('\n').slice(0, 7)).toEqual([
      'unchanged   a',
      'modified    b  1 added, 1 modified, 1 renamed',
      '    R b/y -> b/renamed',
      expect.stringMatching(/^ {4}M b\/x {2}/),
      expect.stringMatching(/^ {4}A b\/z\/new {2}3 B/),
      'missing     c  not known to be on the remote',
      'unchanged   d  not known to be on the remote',
    ])
    for (const advice of ['varve add', 'varve checkout', 'varve push'])
      expect(stdout).toContain(`\`${advice}`)
    // What another clone pushed is known once the remote is asked.
    const clone = join(makeFolder(), 'clone')
    git(root, 'clone', '--quiet', root, clone)
    await varve(['remote', 'add', 'origin', remote], { cwd: clone })
    const before = await varveJson<Status>(['status'], { cwd: clone })
    const after = await varveJson<Status>(['status', '--remote'], { cwd: clone })
    expect(before.paths.map(({ state }) => state)).toEqual(Array(4).fill('not-pulled'))
    expect(before.paths.some(({ onRemote }) => onRemote)).toBe(false)
    expect(after.paths.map(({ onRemote }) => onRemote)).toEqual([true, true, false, false])
    // A clone that has the bytes, and has not asked this remote, does not claim to know.
    const asked = await varve(['status', '--remote'], { cwd: root })
    expect(asked).toContain('unchanged   d  not on the remote\n')
    expect(asked).not.toContain('status --remote')
    expect(stdout).toContain(
      '`varve push` sends what the remote lacks; `varve status --remote` asks what it has',
    )
  })

  it('reads no file whose stamp says that it is unchanged, and is not fooled by a time stamp', async () => {
    const root = await makeProject({ 'data/x': 'one' }, ['data'])
    const old = new Date(2020, 1, 1)
    writeFiles(root, { 'data/x': 'two' })
    utimesSync(join(root, 'data/x'), old, old)
    expect((await varveJson<Status>(['status'], { cwd: root })).paths).toMatchObject([{ state: 'modified' }])
    writeFiles(root, { 'data/x': 'one' })
    expect((await varveJson<Status>(['status'], { cwd: root })).paths).toMatchObject([{ state: 'unchanged' }])
  })

  it('of a pointer that was changed by git says so', async () => {
    const root = await makeProject({ 'data/x': 'one' }, ['data'])
    writeFiles(root, { 'data/x': 'two' })
    await varve(['add', 'data'], { cwd: root })
    git(root, 'reset', '--quiet', '--hard')
    expect((await varveJson<Status>(['status'], { cwd: root })).paths).toMatchObject([
      { state: 'outdated', counts: { modified: 0 } },
    ])
  })

  it('tells of the others where one path has something in it that no version can hold', async () => {
    const root = await makeProject({ 'a/x': 'one', 'b/x': 'two' }, ['a', 'b'])
    execFileSync('mkfifo', [join(root, 'a/pipe')])
    const { paths } = await varveJson<{ paths: { state: string; error?: { code: string } }[] }>(['status'], {
      cwd: root,
    })
    expect(paths).toMatchObject([
      {
        state: 'unreadable',
        error: { code: 'UNSUPPORTED_FILE', message: expect.stringContaining('a/pipe') },
      },
      { state: 'unchanged' },
    ])
    await expectRefusal(
      ['status', 'a'],
      { cwd: root },
      { code: 'UNSUPPORTED_FILE', message: /a\/pipe/, hint: /varveignore/ },
    )
  })

  it('of nothing tracked says how to begin', async () => {
    const root = makeRepository()
    await varve(['init'], { cwd: root })
    expect(await varve(['status'], { cwd: root })).toBe('nothing is tracked yet: `varve add PATH` begins\n')
    expect((await varveJson<Status>(['status'], { cwd: root })).paths).toEqual([])
  })
})

describe('diff', () => {
  it('compares workspace, pointers and revisions, and tells by its exit code if asked', async () => {
    const root = await makeProject({ 'data/x': 'one', 'data/y': 'y', lone: 'l' }, ['data', 'lone'])
    writeFiles(root, { 'data/x': 'twotwo', 'data/z': 'z' })
    mkdirSync(join(root, 'data/empty'))
    await varve(['add', 'data'], { cwd: root })
    commitAll(root, 'second')
    writeFiles(root, { 'data/y': 'yy' })
    const at = async (...args: string[]) => {
      const text = await varve(['diff', '--json', ...args], { cwd: root })
      const diffs = JSON.parse(text) as { changes: { change: string; path: string }[] }[]
      return diffs.flatMap(({ changes }) => changes.map(({ change, path }) => `${change} ${path}`))
    }
    expect(await at()).toEqual(['modified data/y'])
    expect(await at('HEAD')).toEqual(['modified data/y'])
    const first = ['added data/empty/', 'modified data/x', 'added data/z']
    expect(await at('HEAD~1', 'HEAD')).toEqual(first)
    expect(await at('HEAD', 'HEAD~1', '--', 'data/x')).toEqual(['modified data/x'])
    expect(await at('HEAD~1')).toEqual([
      'added data/empty/',
      'modified data/x',
      'modified data/y',
      'added data/z',
    ])
    expect(await at('HEAD~1', 'HEAD', '--', 'lone')).toEqual([])
    expect((await runVarve(['diff', '--exit-code', '--', 'lone'], { cwd: root })).exitCode).toBe(0)
    expect((await runVarve(['diff', '--exit-code'], { cwd: root })).exitCode).toBe(1)
    expect((await runVarve(['diff', '--stat'], { cwd: root })).stdout).toMatch(
      /^data {2}b3:\w+ {2}1 modified {2}.*\n$/,
    )
  })

  it('of a path that came, or went, shows all of it', async () => {
    const root = await makeProject({ 'data/x': 'one' }, ['data'])
    writeFiles(root, { 'more/y': 'two' })
    await varve(['add', 'more'], { cwd: root })
    await varve(['untrack', 'data'], { cwd: root })
    git(root, 'commit', '--quiet', '--message', 'second')
    const diffs = await varveJson<unknown[]>(['diff', 'HEAD~1', 'HEAD'], { cwd: root })
    expect(diffs).toMatchObject([
      { path: 'data', counts: { deleted: 1, added: 0 } },
      { path: 'more', counts: { added: 1, deleted: 0 } },
    ])
  })
})
