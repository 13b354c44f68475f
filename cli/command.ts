import type { Output } from './render/output.ts'

/** One row of the command table. It is all that the overview and the dispatch need: no module is loaded. */
export type CommandEntry = {
  /** One word, or two for a sub-command: `remote add`. */
  name: string
  group: CommandGroup
  summary: string
  load(): Promise<Command>
}

export type CommandGroup = 'start' | 'everyday' | 'share' | 'inspect' | 'setup'

/** What a command's own module says of it. Made by `defineCommand`. */
export type Command = CommandDefinition<Record<string, OptionSpec>>

export type CommandDefinition<Options extends Record<string, OptionSpec>> = {
  /** As in a manual: `add <path...>`. Begins with the name. */
  usage: string
  /** Paragraphs below the summary in `--help`. */
  description?: string
  /** Pairs of a command line and what it does. */
  examples: readonly (readonly [string, string])[]
  /** Keys are in camel case: `rebuildIndex` is typed `--rebuild-index`. */
  options: Options
  positionals: readonly PositionalSpec[]
  /**
   * What follows `--`: more positionals (the default), or `separate`, for commands where it tells paths
   * from revisions; it is then found in `dashDash` alone.
   */
  afterDashDash?: 'positionals' | 'separate'
  /** Gives the exit code; nothing means 0. */
  run(context: CommandContext, args: CommandArguments<Options>): Promise<number | undefined> | Promise<void>
}

export type CommandContext = {
  /** The absolute path that relative paths are read from: the process's own, or what `-C` says. */
  cwd: string
  environment: Environment
  output: Output
  /** Aborted by the first Ctrl-C. */
  signal: AbortSignal
  /** The whole table, for commands about commands. */
  commands: readonly CommandEntry[]
}

/** The part of the process environment that commands use. */
export type Environment = {
  homeDirectory: string
  /** The path of the user's login shell. */
  shell: string | undefined
}

export type OptionSpec = BooleanOption | StringOption | NumberOption

/** With `default: true` it is `--no-NAME` that is shown in `--help`, and the summary describes that. */
export type BooleanOption = { type: 'boolean'; summary: string; short?: string; default?: boolean }

export type StringOption = {
  type: 'string'
  summary: string
  /** Stands for the value in `--help`: `PATH`. */
  valueName: string
  short?: string
  default?: string
  choices?: readonly string[]
  /** May be given more than once. */
  multiple?: true
}

/** A whole number, `least` or more: 0 where that is not said. */
export type NumberOption = {
  type: 'number'
  least?: number
  summary: string
  valueName: string
  short?: string
  default?: number
}

export type PositionalSpec = {
  name: string
  summary: string
  required?: boolean
  /** Takes all that is left; only the last one can. */
  variadic?: boolean
  choices?: readonly string[]
}

export type CommandArguments<Options extends Record<string, OptionSpec>> = {
  options: { [Key in keyof Options]: OptionValue<Options[Key]> }
  positionals: readonly string[]
  /** What followed `--`; undefined if no `--` was typed. */
  dashDash: readonly string[] | undefined
}

export type OptionValue<Spec extends OptionSpec> = Spec extends { type: 'boolean' }
  ? boolean
  : Spec extends { multiple: true }
    ? readonly SingleValue<Spec>[]
    : Spec extends { default: string | number }
      ? SingleValue<Spec>
      : SingleValue<Spec> | undefined

type SingleValue<Spec extends OptionSpec> = Spec extends { choices: readonly (infer Choice)[] }
  ? Choice
  : Spec extends { type: 'number' }
    ? number
    : string

/** Types the arguments of `run` after the options; the frame hands them over as parsed by these very specs. */
export function defineCommand<const Options extends Record<string, OptionSpec>>(
  definition: CommandDefinition<Options>,
): Command {
  return definition as unknown as Command
}
