import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { git, makeRepository } from '../support/git-fixture.ts'
import { runVarve, varve, varveJson } from '../support/run-varve.ts'

async function project(): Promise<string> {
  const root = makeRepository()
  await varve(['init'], { cwd: root })
  git(root, 'commit', '--quiet', '--message', 'init')
  return root
}

const shared = (root: string) => readFileSync(join(root, 'varve.yaml'), 'utf8')

test('set, show, list and unset', async () => {
  const root = await project()
  const set = await varveJson(['config', 'remotes.my.remote.url', '../x'], { cwd: root })
  expect(set).toEqual({ key: 'remotes.my.remote.url', value: '../x', source: 'committed' })
  await varve(['config', 'default', 'my.remote', '--no-stage'], { cwd: root })
  expect(git(root, 'status', '--porcelain')).toBe('MM varve.yaml')
  await varve(['config', 'remotes.my.remote.url', 'y', '--local'], { cwd: root })

  expect(await varve(['config', 'remotes.my.remote.url'], { cwd: root })).toBe(`${join(root, 'y')}\n`)
  expect(await varveJson(['config', 'default'], { cwd: root })).toEqual({
    key: 'default',
    value: 'my.remote',
    source: 'committed',
  })
  const { settings } = await varveJson<{ settings: unknown[] }>(['config', '--list'], { cwd: root })
  expect(settings).toEqual([
    { key: 'repository', value: expect.stringMatching(/^[0-9a-f]{32}$/), source: 'committed' },
    { key: 'default', value: 'my.remote', source: 'committed' },
    { key: 'remotes.my.remote.url', value: join(root, 'y'), source: 'local' },
  ])
  expect(await varveJson(['config'], { cwd: root })).toEqual({ settings })
  expect(await varveJson(['config', '-l', '--local'], { cwd: root })).toEqual({ settings: [settings[2]] })
  expect(await varve(['config'], { cwd: root })).toMatch(/^remotes\.my\.remote\.url +\S+ +\(local\)$/m)

  const unset = await varveJson(['config', '--unset', 'remotes.my.remote.url', '--local'], { cwd: root })
  expect(unset).toEqual({ key: 'remotes.my.remote.url', value: null, source: 'local' })
  expect(await varve(['config', 'remotes.my.remote.url'], { cwd: root })).toBe('../x\n')
  await varve(['config', '--unset', 'default'], { cwd: root })
  expect(shared(root)).not.toContain('default')
  expect(git(root, 'status', '--porcelain')).toBe('M  varve.yaml')
})

test('what is not set prints nothing, and ends with 1', async () => {
  const root = await project()
  expect(await runVarve(['config', 'default'], { cwd: root })).toMatchObject({
    exitCode: 1,
    stdout: '',
    stderr: '',
  })
  const { exitCode, stdout } = await runVarve(['config', 'default', '--json'], { cwd: root })
  expect({ exitCode, json: JSON.parse(stdout) }).toEqual({
    exitCode: 1,
    json: { key: 'default', value: null, source: null },
  })
  await varve(['config', 'remotes.a.url', '/a'], { cwd: root })
  expect((await runVarve(['config', 'remotes.a.url', '--local'], { cwd: root })).exitCode).toBe(1)
})

const refused: [string[], number, string][] = [
  [['defualt'], 2, 'Did you mean `default`'],
  [['remotes.a.token', 'x'], 2, 'secret'],
  [['remotes.a.url', 'gopher://x'], 2, 'gopher'],
  [['repository', '0'.repeat(32)], 2, 'repository cannot be changed'],
  [['--unset', 'repository'], 2, 'repository cannot be changed'],
  [['store', '/elsewhere'], 2, 'varve init --store'],
  [['store', '/elsewhere', '--local'], 2, 'varve init --store'],
  [['--unset', 'store', '--local'], 2, 'varve init --store'],
  [['default', 'nobody'], 1, 'nobody'],
  [['default', 'mine'], 2, '--local'],
  [['--unset', 'default'], 1, 'default is not set'],
  [['--unset', 'remotes.mine.url', '--local'], 2, 'varve remote remove mine'],
  [['--unset'], 2, '--unset'],
  [['--unset', 'default', 'x'], 2, '--unset'],
  [['--list', 'default'], 2, '--list'],
]

test('what cannot be set or taken out changes nothing', async () => {
  const root = await project()
  await varve(['config', 'remotes.mine.url', '/mine', '--local'], { cwd: root })
  const before = await varve(['config'], { cwd: root })
  for (const [args, code, words] of refused) {
    const { exitCode, stderr } = await runVarve(['config', ...args], { cwd: root })
    expect({ args, exitCode, stderr }).toEqual({
      args,
      exitCode: code,
      stderr: expect.stringContaining(words),
    })
  }
  expect(await varve(['config'], { cwd: root })).toBe(before)
  expect(git(root, 'status', '--porcelain')).toBe('')
})
