import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { VarveError } from '../core/errors.ts'
import type { CommandEntry, Environment } from './command.ts'
import { type FoundCommand, findCommand } from './find-command.ts'
import { parseArguments } from './parse-arguments.ts'
import { createOutput, type FrameOutput, type Stream } from './render/output.ts'
import { reportError } from './report-error.ts'

export type CommandLine = {
  /** What was typed after the program's name. */
  argv: readonly string[]
  commands: readonly CommandEntry[]
  cwd: string
  environment: Environment
  /** The variables that colour depends on. */
  variables: Readonly<Record<string, string | undefined>>
  stdout: Stream
  stderr: Stream
  signal: AbortSignal
}

/** Parses, runs, renders; gives the exit code. Throws nothing. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  // Until the arguments are parsed, and if they cannot be, the plain look of them decides how to speak.
  let output: FrameOutput = createOutput({ ...line, ...looksOf(line.argv) })
  try {
    const found = await findCommand(line.argv, line.commands)
    const command = found.kind === 'command' ? await found.entry.load() : bareCommand
    const name = found.kind === 'command' ? found.entry.name : (found.prefix ?? '')
    const { globals, args } = await parseArguments(found.args, { ...command, name })
    output = createOutput({ ...line, ...globals })
    if (globals.help || found.kind === 'overview') return await showHelp(found, line, output)
    const exitCode = await command.run(
      {
        cwd: changeDirectory(line.cwd, globals.directory),
        environment: line.environment,
        output,
        signal: line.signal,
        commands: line.commands,
      },
      args,
    )
    return exitCode ?? 0
  } catch (error) {
    return reportError(error, output, line.signal)
  } finally {
    output.end()
  }
}

const bareCommand = {
  usage: '',
  examples: [],
  options: {},
  positionals: [],
  run: async () => 0,
}

async function showHelp(found: FoundCommand, line: CommandLine, output: FrameOutput): Promise<number> {
  const { help } = await import('./help/help.ts')
  const name = found.kind === 'command' ? found.entry.name : found.prefix
  await help({ name, commands: line.commands, output })
  return 0
}

function looksOf(argv: readonly string[]): { json: boolean; quiet: boolean; verbose: boolean } {
  const end = argv.indexOf('--')
  const words = new Set(end === -1 ? argv : argv.slice(0, end))
  return {
    json: words.has('--json'),
    quiet: words.has('-q') || words.has('--quiet'),
    verbose: words.has('-v') || words.has('--verbose'),
  }
}

/** Each -C is read from the one before it, as with git. @throws USAGE */
function changeDirectory(cwd: string, steps: readonly string[]): string {
  const directory = resolve(cwd, ...steps)
  if (steps.length > 0 && !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw new VarveError('USAGE', `cannot run in ${directory}: no such directory`)
  }
  return directory
}
