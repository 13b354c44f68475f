import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it, test } from 'vitest'
import type { CommandEntry } from '../../cli/command.ts'
import { commandTable } from '../../cli/command-table.ts'
import { globalOptions } from '../../cli/global-options.ts'
import { makeFolder, makeRepository, writeFiles } from '../support/git-fixture.ts'
import { type RunVarveOptions, runVarve, varve, varveJson } from '../support/run-varve.ts'
import { makeVersionedRepository } from '../support/versioned-repository.ts'

/** What every command has in common: each row of the table is run, so that a new one cannot be forgotten. */
const names = commandTable.map(({ name }) => name)
/** Commands about commands: they need no repository. */
const aboutCommands = ['help', 'version', 'completion']
const inProject = names.filter((name) => !aboutCommands.includes(name))

/** Arguments for those that refuse to run without. */
const argumentsOf: Record<string, string[]> = {
  add: ['x'],
  mv: ['x', 'y'],
  untrack: ['x'],
  cat: ['x'],
  'remote add': ['origin', '/srv/data'],
  'remote set': ['origin', 'url', '/srv/data'],
  'remote remove': ['origin'],
}

const typed = (name: string, ...more: string[]) => [...name.split(' '), ...(argumentsOf[name] ?? []), ...more]
const entryOf = (name: string): CommandEntry => commandTable.find((entry) => entry.name === name)!
const ESCAPE = '\u001b'

describe.each(names)('varve %s', (name) => {
  test('--help tells how to use it, in 80 columns', async () => {
    const { exitCode, stdout, stderr } = await runVarve([...name.split(' '), '--help'], { cwd: makeFolder() })
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const { usage, examples, options } = await entryOf(name).load()
    expect(stdout).toMatch(/^Usage: varve /)
    expect(stdout).toContain(`Usage: varve ${usage}\n`)
    expect(usage === name || usage.startsWith(`${name} `)).toBe(true)
    expect(stdout).toContain(`\n${entryOf(name).summary}.\n`)
    expect(examples.length).toBeGreaterThan(0)
    for (const [line] of examples) expect(stdout).toContain(`\n  ${line}`)
    expect(stdout.split('\n').filter((line) => line.length > 80 || /\s$/.test(line))).toEqual([])
    for (const spec of Object.values({ ...options, ...globalOptions })) {
      if (spec.type !== 'boolean') expect(stdout).toMatch(new RegExp(`--[\\w-]+ ${spec.valueName}`))
    }
    expect(stdout).not.toMatch(/\[(string|boolean|number|array)\]/)
  })

  test('says all it has to say in one tone', async () => {
    const { options, positionals, examples } = await entryOf(name).load()
    const summaries = [entryOf(name), ...Object.values(options), ...positionals].map(({ summary }) => summary)
    expect(summaries.filter((summary) => !/^[A-Z].*[^.]$/.test(summary))).toEqual([])
    expect(examples.filter(([, meaning]) => !/^[^A-Z].*[^.]$/.test(meaning))).toEqual([])
  })

  test('refuses an option that it does not know: a line, a hint, exit code 2', async () => {
    const { exitCode, stdout, stderr } = await runVarve(typed(name, '--frobnicate'), { cwd: makeFolder() })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toMatch(/^varve: unknown option '--frobnicate'\nhint: .*`varve help .*\n$/)
    expect(stderr).toContain(`\`varve help ${name}\``)
  })
})

async function expectFailure(
  name: string,
  options: RunVarveOptions,
  expected: { code: string; message: string; hint: string },
): Promise<void> {
  // The bytes of a file are no JSON.
  const isJson = name !== 'cat'
  const { exitCode, stdout, stderr } = await runVarve(typed(name, ...(isJson ? ['--json'] : [])), options)
  expect({ exitCode, stderr }).toEqual({
    exitCode: 5,
    stderr: `varve: ${expected.message}\nhint: ${expected.hint}\n`,
  })
  if (isJson) expect(JSON.parse(stdout)).toEqual({ error: expected })
  else expect(stdout).toBe('')
}

test.each(inProject)('varve %s outside git says so, and ends with 5', async (name) => {
  const cwd = makeFolder()
  await expectFailure(
    name,
    { cwd },
    {
      code: 'NOT_A_REPOSITORY',
      message: `not inside a git repository: ${cwd}`,
      hint: 'Run `git init` first.',
    },
  )
})

test.each(inProject.filter((name) => name !== 'init'))(
  'varve %s before init says so, and ends with 5',
  async (name) => {
    const cwd = makeRepository()
    writeFiles(cwd, { x: '1' })
    await expectFailure(
      name,
      { cwd },
      { code: 'NOT_INITIALISED', message: `varve is not set up in ${cwd}`, hint: 'Run `varve init`.' },
    )
  },
)

/** Commands that only look; each has something to say of the project below. */
const looking = [
  ...['status', 'diff', 'diff v1 v2', 'log', 'ls', 'ls -l v1:data', 'stats', 'verify'],
  ...['config', 'remote list', 'help', 'version'],
].map((line) => line.split(' '))

async function makeProject(): Promise<string> {
  const root = await makeVersionedRepository()
  await varve(['remote', 'add', 'origin', '../remote'], { cwd: root })
  writeFiles(root, { 'data/same.txt': 'changed once more\n' })
  return root
}

describe('commands that only look', () => {
  it('give one document with --json, without colour, and the same one from anywhere with -C', async () => {
    const root = await makeProject()
    for (const args of looking) {
      const text = await varve([...args, '--json'], { cwd: root, env: { FORCE_COLOR: '1' } })
      expect(text).not.toContain(ESCAPE)
      expect(await varveJson(['-C', root, ...args], { cwd: tmpdir() })).toEqual(JSON.parse(text))
    }
  })

  it('are in colour where FORCE_COLOR asks for it, and neither in a pipe nor where NO_COLOR forbids it', async () => {
    const cwd = await makeProject()
    for (const args of looking) {
      const plain = await varve(args, { cwd })
      expect(plain).not.toBe('')
      expect(plain).not.toContain(ESCAPE)
      expect(await varve(args, { cwd, env: { NO_COLOR: '1', FORCE_COLOR: '1' } })).toBe(plain)
      const painted = await varve(args, { cwd, env: { FORCE_COLOR: '1' } })
      expect(stripVTControlCharacters(painted).replace(/ +$/gm, '')).toBe(plain)
    }
    expect(await varve(['status'], { cwd, env: { FORCE_COLOR: '1' } })).toContain(ESCAPE)
  })

  it('print their result with -q too, and nothing else', async () => {
    const cwd = await makeProject()
    for (const args of looking) {
      const { stdout, stderr } = await runVarve([...args, '-q'], { cwd })
      expect(stdout).not.toBe('')
      expect(stderr).toBe('')
    }
  })
})

describe('commands that do something', () => {
  it('say nothing with -q', async () => {
    const root = makeRepository()
    const remote = join(makeFolder(), 'remote')
    writeFiles(root, { a: '1', 'd/x': '2' })
    for (const line of [
      ...['init', `remote add origin ${remote}`, 'add a d', 'push', 'fetch', 'pull', 'checkout', 'mv a b'],
      ...[`remote set origin url ${remote}`, 'remote default origin', 'remote remove origin'],
    ]) {
      const { exitCode, stdout, stderr } = await runVarve([...line.split(' '), '-q'], { cwd: root })
      expect({ line, exitCode, stdout, stderr }).toEqual({ line, exitCode: 0, stdout: '', stderr: '' })
    }
  })
})
