import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type CommandArguments,
  type CommandEntry,
  defineCommand,
  type OptionSpec,
} from '../../cli/command.ts'
import { EXIT_BROKEN_PIPE, EXIT_BUG, exitCodeOf } from '../../cli/exit-codes.ts'
import { runCommandLine } from '../../cli/run-command-line.ts'
import { VarveError } from '../../core/errors.ts'

let received:
  | { cwd: string; args: { options: object } & Omit<CommandArguments<Record<string, OptionSpec>>, 'options'> }
  | undefined

const copy = defineCommand({
  usage: 'copy <from> [to...]',
  description: 'More about copying.',
  examples: [['varve copy a b', 'copy a to b']],
  options: {
    stage: { type: 'boolean', default: true, summary: 'do not stage' },
    dryRun: { type: 'boolean', short: 'n', summary: 'only say what would be done' },
    desc: { type: 'string', valueName: 'TEXT', summary: 'a description' },
    meta: { type: 'string', valueName: 'KEY=VALUE', multiple: true, summary: 'a label' },
    kind: { type: 'string', valueName: 'KIND', choices: ['near', 'far'], default: 'near', summary: 'which' },
    jobs: { type: 'number', short: 'j', valueName: 'N', summary: 'how many at once' },
  },
  positionals: [
    { name: 'from', summary: 'what to copy', required: true },
    { name: 'to', summary: 'where to', variadic: true },
  ],
  async run({ cwd, output }, args) {
    // The types follow the specs.
    const typed: {
      stage: boolean
      dryRun: boolean
      desc: string | undefined
      meta: readonly string[]
      kind: 'near' | 'far'
      jobs: number | undefined
    } = args.options
    received = { cwd, args: { ...args, options: typed } }
    output.note('by the way')
    output.detail('in detail')
    output.warn('careful')
    output.progress().report({ phase: 'copying', filesDone: 1 })
    output.summary({ copied: 1 }, () => 'copied 1 file')
  },
})

const compare = defineCommand({
  usage: 'compare [rev] [-- path...]',
  examples: [],
  options: {},
  positionals: [{ name: 'rev', summary: 'a revision' }],
  afterDashDash: 'separate',
  async run({ cwd, output }, args) {
    received = { cwd, args }
    output.result({ equal: false }, () => 'not equal')
    return 1
  },
})

const failing = (thrown: () => unknown) =>
  defineCommand({
    usage: 'fail',
    examples: [],
    options: {},
    positionals: [],
    async run() {
      throw thrown()
    },
  })

const entry = (name: string, load: CommandEntry['load']): CommandEntry => ({
  name,
  group: 'everyday',
  summary: `The summary of ${name}`,
  load,
})

const interruption = new AbortController()
const commands: CommandEntry[] = [
  entry('copy', async () => copy),
  entry('compare', async () => compare),
  entry('remote add', async () => ({ ...compare, usage: 'remote add' })),
  entry('remote list', async () => ({ ...compare, usage: 'remote list' })),
  entry('fail', async () =>
    failing(() => new VarveError('NO_REMOTE', 'no remote is set', { hint: 'Run varve remote add.' })),
  ),
  entry('crash', async () => failing(() => new TypeError('x is not a function'))),
  entry('system', async () =>
    failing(() => Object.assign(new Error('EACCES'), { code: 'EACCES', syscall: 'open', path: '/x' })),
  ),
  entry('interrupt', async () =>
    failing(() => {
      interruption.abort()
      return new Error('a stream was cut off')
    }),
  ),
]

class Sink extends Writable {
  text = ''
  isTTY = false
  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    this.text += bytes.toString()
    done()
  }
}

async function run(argv: string[], options: { variables?: Record<string, string>; terminal?: boolean } = {}) {
  received = undefined
  const stdout = new Sink()
  const stderr = new Sink()
  stdout.isTTY = stderr.isTTY = options.terminal ?? false
  const exitCode = await runCommandLine({
    ...{ argv, commands, stdout, stderr, cwd: folder },
    environment: { homeDirectory: folder, shell: undefined },
    variables: options.variables ?? {},
    signal: argv.includes('interrupt') ? interruption.signal : new AbortController().signal,
  })
  return { exitCode, stdout: stdout.text, stderr: stderr.text }
}

let folder: string
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'varve-frame-')))
  mkdirSync(join(folder, 'a', 'b'), { recursive: true })
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('arguments', () => {
  it('reach the command by its specs', async () => {
    const typed = [
      'copy',
      'x',
      '--no-stage',
      '-n',
      '--desc',
      'd e',
      '--meta=a=1',
      '--meta',
      'b=2',
      '-j',
      '3',
      'y',
    ]
    expect((await run(typed)).exitCode).toBe(0)
    expect(received?.args).toEqual({
      options: { stage: false, dryRun: true, desc: 'd e', meta: ['a=1', 'b=2'], kind: 'near', jobs: 3 },
      positionals: ['x', 'y'],
      dashDash: undefined,
    })
  })

  it('have defaults', async () => {
    await run(['copy', 'x'])
    expect(received?.args.options).toEqual({
      ...{ stage: true, dryRun: false, desc: undefined, meta: [], kind: 'near', jobs: undefined },
    })
  })

  it('never lose a path to a switch', async () => {
    await run(['copy', '-q', 'true', '--json', '-', '0x10'])
    expect(received?.args.positionals).toEqual(['true', '-', '0x10'])
  })

  it('after -- are more positionals, or apart where a command wants them so', async () => {
    await run(['copy', '--', '-n', '--json'])
    expect(received?.args).toMatchObject({ positionals: ['-n', '--json'], dashDash: ['-n', '--json'] })
    await run(['compare', 'main', '--', 'a', 'b'])
    expect(received?.args).toMatchObject({ positionals: ['main'], dashDash: ['a', 'b'] })
    await run(['compare', '--'])
    expect(received?.args).toMatchObject({ positionals: [], dashDash: [] })
    await run(['compare', 'main'])
    expect(received?.args).toMatchObject({ positionals: ['main'], dashDash: undefined })
  })

  it('of every command may stand before its name', async () => {
    const { stdout } = await run(['-C', 'a', '--json', '-Cb', 'copy', 'x'])
    expect(received?.cwd).toBe(join(folder, 'a', 'b'))
    expect(JSON.parse(stdout)).toEqual({ copied: 1 })
  })

  it.each([
    [['copy'], 'missing argument: from'],
    [['compare', 'a', 'b'], "unexpected argument 'b'"],
    [['copy', 'x', '--desk', 'y'], "unknown option '--desk'; did you mean '--desc'?"],
    [['copy', 'x', '--zzz'], "unknown option '--zzz'"],
    [['copy', 'x', '-z'], "unknown option '-z'"],
    [['copy', 'x', '--dryRun'], "unknown option '--dryRun'; did you mean '--dry-run'?"],
    [['copy', 'x', '--no-dry-run'], "unknown option '--no-dry-run'"],
    [['copy', 'x', '--__proto__'], "unknown option '--__proto__'"],
    [['copy', 'x', '--desc'], 'option --desc needs a value: TEXT'],
    [['copy', 'x', '--desc', '-n'], 'option --desc needs a value: TEXT'],
    [['copy', 'x', '--json=yes'], 'option --json takes no value'],
    [['copy', 'x', '--jobs', '1.5'], "option --jobs needs a whole number, not '1.5'"],
    [['copy', 'x', '--kind', 'wide'], "option --kind must be one of near, far, not 'wide'"],
    [['-C', 'nowhere', 'copy', 'x'], 'no such directory'],
    [['cpoy', 'x'], "unknown command 'cpoy'; did you mean 'copy'?"],
    [['zzzz'], "unknown command 'zzzz'"],
    [['remote', 'lst'], "unknown command 'remote lst'; did you mean 'remote list'?"],
    [['--desc', 'x'], "unknown command 'x'"],
  ])('%j are refused: %s', async (argv, message) => {
    const { exitCode, stdout, stderr } = await run(argv)
    expect(stderr.split('\n')[0]).toBe(
      stderr.split('\n')[0]!.startsWith('varve: ') ? stderr.split('\n')[0] : '',
    )
    expect(stderr).toContain(message)
    expect({ exitCode, stdout, received }).toEqual({ exitCode: 2, stdout: '', received: undefined })
  })

  it('leave a value that looks like an option to whoever insists', async () => {
    await run(['copy', 'x', '--desc=-n'])
    expect(received?.args.options).toMatchObject({ desc: '-n' })
  })
})

describe('output', () => {
  it('puts results on standard output and the rest on standard error', async () => {
    expect(await run(['copy', 'x'])).toEqual({
      exitCode: 0,
      stdout: 'copied 1 file\n',
      stderr: 'by the way\nwarning: careful\n',
    })
  })

  it('says more with -v', async () => {
    expect((await run(['copy', 'x', '-v'])).stderr).toBe('by the way\nin detail\nwarning: careful\n')
  })

  it('says nothing but warnings with -q, yet prints what was asked for', async () => {
    expect(await run(['copy', 'x', '-q'])).toMatchObject({ stdout: '', stderr: 'warning: careful\n' })
    expect(await run(['compare', '-q'])).toMatchObject({ stdout: 'not equal\n', stderr: '' })
  })

  it('is one document with --json, with -q as well', async () => {
    expect(JSON.parse((await run(['copy', 'x', '--json'])).stdout)).toEqual({ copied: 1 })
    expect(JSON.parse((await run(['copy', 'x', '--json', '-q'])).stdout)).toEqual({ copied: 1 })
  })

  it('gives the exit code that the command returns', async () => {
    expect((await run(['compare'])).exitCode).toBe(1)
  })

  it('is in colour on a terminal, or as NO_COLOR and FORCE_COLOR say', async () => {
    const red = '\u001b[31mvarve:'
    expect((await run(['zzzz'], { terminal: true })).stderr).toContain(red)
    expect((await run(['zzzz'], { terminal: true, variables: { NO_COLOR: '1' } })).stderr).not.toContain(red)
    expect((await run(['zzzz'], { terminal: true, variables: { TERM: 'dumb' } })).stderr).not.toContain(red)
    expect((await run(['zzzz'])).stderr).not.toContain(red)
    expect((await run(['zzzz'], { variables: { FORCE_COLOR: '1' } })).stderr).toContain(red)
  })
})

describe('errors', () => {
  it('are a line and a hint', async () => {
    expect(await run(['fail'])).toEqual({
      exitCode: exitCodeOf.NO_REMOTE,
      stdout: '',
      stderr: 'varve: no remote is set\nhint: Run varve remote add.\n',
    })
  })

  it('are the document too with --json, even where the arguments are wrong', async () => {
    const failed = await run(['fail', '--json'])
    expect(failed.stderr).toContain('varve: no remote is set')
    expect(JSON.parse(failed.stdout)).toEqual({
      error: { code: 'NO_REMOTE', message: 'no remote is set', hint: 'Run varve remote add.' },
    })
    expect(JSON.parse((await run(['zzzz', '--json'])).stdout)).toMatchObject({ error: { code: 'USAGE' } })
    expect((await run(['zzzz', '--', '--json'])).stdout).toBe('')
  })

  it('that nobody foresaw are bugs, with a stack only under -v', async () => {
    const quiet = await run(['crash'])
    expect(quiet.exitCode).toBe(EXIT_BUG)
    expect(quiet.stderr).toMatch(/^varve: x is not a function\nhint: this is a bug in varve/)
    expect(quiet.stderr).not.toContain('    at ')
    expect((await run(['crash', '-v'])).stderr).toContain('    at ')
    expect(JSON.parse((await run(['crash', '--json'])).stdout)).toMatchObject({ error: { code: 'BUG' } })
  })

  it('of the system are told with the path', async () => {
    const { exitCode, stderr } = await run(['system'])
    expect({ exitCode, stderr }).toMatchObject({ exitCode: exitCodeOf.NO_PERMISSION })
    expect(stderr).toContain('/x')
  })

  it('after an interruption are the interruption', async () => {
    expect(await run(['interrupt'])).toMatchObject({
      exitCode: 130,
      stderr: 'varve: interrupted\nhint: Run the command again: what was finished is kept.\n',
    })
  })
})

describe('exit codes', () => {
  it('are documented as they are', () => {
    const page = readFileSync(new URL('../../docs/commands/exit-codes.md', import.meta.url), 'utf8')
    const documented = new Map<string, number>()
    for (const [, number, codes] of page.matchAll(/^\| (\d+) \|.*\| ([^|]*)\|$/gm)) {
      for (const [, code] of codes!.matchAll(/`(\w+)`/g)) documented.set(code!, Number(number))
    }
    expect(Object.fromEntries(documented)).toEqual({ ...exitCodeOf, BUG: EXIT_BUG })
    expect(page).toMatch(new RegExp(`^\\| ${EXIT_BROKEN_PIPE} \\|`, 'm'))
  })

  it('keep 3 and 4 free', () => {
    expect(Object.values(exitCodeOf)).not.toContain(3)
    expect(Object.values(exitCodeOf)).not.toContain(4)
  })
})

describe('help', () => {
  it('lists the commands, bare and with --help, in groups', async () => {
    for (const argv of [[], ['--help'], ['-h']]) {
      const { exitCode, stdout } = await run(argv)
      expect(exitCode).toBe(0)
      expect(stdout).toMatch(/^Usage: varve/)
      expect(stdout).toMatch(/Everyday\n {2}copy +The summary of copy/)
    }
  })

  it('lists the commands that begin with a word', async () => {
    const { stdout } = await run(['remote'])
    expect(stdout).toContain('remote add')
    expect(stdout).not.toContain('compare')
  })

  it('shows how to use one, whatever else is typed', async () => {
    const { exitCode, stdout } = await run(['copy', '--bogus', '--help'])
    expect({ exitCode, received }).toEqual({ exitCode: 0, received: undefined })
    expect(stdout).toContain('Usage: varve copy <from> [to...]')
    expect(stdout).toContain('The summary of copy.')
    expect(stdout).toContain('More about copying.')
    expect(stdout).toMatch(/from +what to copy/)
    expect(stdout).toMatch(/--no-stage +do not stage/)
    expect(stdout).toMatch(/-n, --dry-run/)
    expect(stdout).toMatch(/--kind .*"near", "far".*"near"/)
    expect(stdout).toMatch(/-C, --directory/)
    expect(stdout).toMatch(/varve copy a b +copy a to b/)
  })

  it('is data with --json', async () => {
    expect(JSON.parse((await run(['copy', '--help', '--json'])).stdout)).toMatchObject({ name: 'copy' })
  })
})
