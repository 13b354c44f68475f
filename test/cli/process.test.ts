import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { commandTable } from '../../cli/command-table.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { globalOptions } from '../../cli/global-options.ts'
import { cleanEnvironment, runVarve, varve, varveJson, varveProgram } from '../support/run-varve.ts'

let folder: string
let frameMain: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'varve-process-'))
  frameMain = join(folder, 'frame-main.mjs')
  await build({
    entryPoints: ['test/cli/fixtures/frame-main.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: frameMain,
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  })
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Resolves when the child says that it waits. */
async function start(
  args: string[],
): Promise<{ child: ChildProcess; ended: Promise<unknown[]>; said: () => string }> {
  const child = spawn(process.execPath, [frameMain, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const waiting = new Promise<void>((resolve) => {
    child.stderr!.on('data', (bytes: Buffer) => {
      text += bytes.toString()
      if (text.includes('waiting')) resolve()
    })
  })
  const ended = once(child, 'close')
  await Promise.race([
    waiting,
    ended.then(() => {
      throw new Error(`it ended before it waited: ${text}`)
    }),
  ])
  return { child, ended, said: () => text }
}

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '%s lets the command tidy up, and ends with 130',
    async (signal) => {
      const { child, ended, said } = await start(['wait'])
      child.kill(signal)
      expect(await ended).toEqual([130, null])
      expect(said()).toBe(
        'waiting\ntidied up\nvarve: interrupted\nhint: Run the command again: what was finished is kept.\n',
      )
    },
  )

  it('that comes twice ends at once', async () => {
    const { child, ended, said } = await start(['wait', '--stubborn'])
    const repeat = setInterval(() => child.kill('SIGINT'), 50)
    expect(await ended).toEqual([130, null])
    clearInterval(repeat)
    expect(said()).toBe('waiting\n')
  })
})

describe('the process', () => {
  it('ends quietly when its reader goes', async () => {
    const child = spawn(process.execPath, [frameMain, 'flood'], { stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    child.stderr.on('data', (bytes: Buffer) => {
      said += bytes.toString()
    })
    const ended = once(child, 'close')
    await once(child.stdout, 'data')
    child.stdout.destroy()
    expect(await ended).toEqual([141, null])
    expect(said).toBe('')
  })

  it('says in a line that its output cannot be written', async () => {
    const launcher = ['sh', '-c', 'exec "$0" "$@" > /dev/full']
    expect(await runVarve(['help'], { cwd: folder, launcher })).toMatchObject({
      stderr: expect.stringMatching(/^varve: no space left while writing the output\nhint: Free some .*\n$/),
      exitCode: exitCodeOf.NO_SPACE,
    })
    const both = ['sh', '-c', 'exec "$0" "$@" > /dev/full 2> /dev/full']
    expect((await runVarve(['help'], { cwd: folder, launcher: both })).exitCode).toBe(exitCodeOf.NO_SPACE)
  })

  it('says in a line that the current folder was deleted', async () => {
    const launcher = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"']
    expect(await runVarve(['status'], { cwd: folder, launcher })).toMatchObject({
      stderr:
        'varve: the current folder is not there any more\n' +
        'hint: Change into a folder that is there, then run this again.\n',
      exitCode: exitCodeOf.NOT_FOUND,
    })
  })

  it('writes a long result whole into a pipe', async () => {
    const { script } = await varveJson<{ script: string }>(['completion', 'zsh'], { cwd: folder })
    expect(await varve(['completion', 'zsh'], { cwd: folder })).toBe(script)
  })

  it('tells its version, with the manifest and in every way', async () => {
    const { version } = await varveJson<{ version: string }>(['version'], { cwd: folder })
    expect(version).toMatch(/^\d+\.\d+\.\d+/)
    for (const flag of ['--version', '-V']) {
      expect(await runVarve([flag], { cwd: folder })).toMatchObject({
        stdout: `varve ${version}\n`,
        exitCode: 0,
      })
    }
  })
})

describe('the command table', () => {
  it.each(commandTable.map((entry) => [entry.name, entry] as const))(
    'describes %s well',
    async (name, entry) => {
      const command = await entry.load()
      expect(command.usage === name || command.usage.startsWith(`${name} `)).toBe(true)
      expect(command.examples.length).toBeGreaterThan(0)
      for (const [typed] of command.examples) expect(typed).toContain(`varve ${name.split(' ')[0]}`)
      expect(entry.summary).toMatch(/^[A-Z].*[^.]$/)
      for (const key of Object.keys(command.options)) {
        expect(key).toMatch(/^[a-z][a-zA-Z]*$/)
        expect(Object.keys(globalOptions)).not.toContain(key)
      }
      const shorts = Object.values({ ...command.options, ...globalOptions }).flatMap((spec) =>
        'short' in spec && spec.short !== undefined ? [spec.short] : [],
      )
      expect(new Set(shorts).size).toBe(shorts.length)
      const { positionals } = command
      expect(positionals.slice(0, -1).some(({ variadic }) => variadic)).toBe(false)
      expect(positionals.map(({ required }) => required === true)).toEqual(
        positionals.map(({ required }) => required === true).sort((a, b) => Number(b) - Number(a)),
      )
    },
  )

  it('has no name twice', () => {
    expect(new Set(commandTable.map(({ name }) => name)).size).toBe(commandTable.length)
  })
})

describe('completion', () => {
  async function completeInBash(words: string[]): Promise<string[]> {
    const script = join(folder, 'varve.bash')
    writeFileSync(script, await varve(['completion', 'bash'], { cwd: folder }))
    const bash = spawn(
      'bash',
      [
        '--norc',
        '-c',
        `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _varve; IFS=$'\\n'; echo "\${COMPREPLY[*]}"`,
        ...['bash', script, ...words],
      ],
      { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let text = ''
    bash.stdout.on('data', (bytes: Buffer) => {
      text += bytes.toString()
    })
    await once(bash, 'close')
    return text.split('\n').filter((line) => line !== '')
  }

  it('in bash completes commands, options and the words to choose from, and leaves paths to readline', async () => {
    expect(await completeInBash(['varve', 'comp'])).toEqual(['completion'])
    expect(await completeInBash(['varve', '-C', 'x', 'comp'])).toEqual(['completion'])
    expect(await completeInBash(['varve', 'completion', ''])).toEqual(['bash', 'zsh', 'fish'])
    expect(await completeInBash(['varve', 'completion', '--verb'])).toEqual(['--verbose'])
    expect(await completeInBash(['varve', 'version', 'some'])).toEqual([])
    expect(await completeInBash(['varve', '-C', 'some'])).toEqual([])
  })

  it.each(['bash', 'zsh', 'fish'])('in %s knows every command and option', async (shell) => {
    const script = await varve(['completion', shell], { cwd: folder })
    for (const { name, load } of commandTable) {
      for (const word of name.split(' ')) expect(script).toContain(word)
      for (const key of Object.keys((await load()).options)) {
        expect(script).toContain(key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`))
      }
    }
  })

  it('picks the login shell, and refuses one that it does not know', async () => {
    const fish = await varve(['completion'], { cwd: folder, env: { SHELL: '/usr/bin/fish' } })
    expect(fish).toContain('complete -c varve')
    const unknown = await runVarve(['completion'], { cwd: folder, env: { SHELL: '/bin/tcsh' } })
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' })
    expect(unknown.stderr).toContain("no completion for 'tcsh'")
  })
})

it('is built', () => {
  expect(varveProgram).toMatch(/dist\/varve\.js$/)
})
