import { parseArgs } from 'node:util'
import { VarveError } from '../core/errors.ts'
import type { Command, CommandArguments, OptionSpec, PositionalSpec } from './command.ts'
import { type GlobalOptionValues, globalOptions } from './global-options.ts'

export type ParsedArguments = {
  globals: GlobalOptionValues
  args: CommandArguments<Record<string, OptionSpec>>
}

/**
 * Reads `words` by the specs of `command` and of the global options. `--help` wins over every mistake
 * beside it. @throws USAGE
 */
export async function parseArguments(
  words: readonly string[],
  command: Pick<Command, 'usage' | 'options' | 'positionals' | 'afterDashDash'> & { name: string },
): Promise<ParsedArguments> {
  const specs: Record<string, OptionSpec> = { ...command.options, ...globalOptions }
  const flags = flagsOf(specs)
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(
      [...flags].map(([flag, { spec, negated }]) => [
        flag,
        {
          type: spec.type === 'boolean' ? 'boolean' : 'string',
          ...(spec.short !== undefined && !negated && { short: spec.short }),
        } as const,
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  const values: Record<string, unknown> = {}
  const before: string[] = []
  const after: string[] = []
  const mistakes: VarveError[] = []
  let terminated = false
  for (const token of tokens) {
    if (token.kind === 'option-terminator') terminated = true
    else if (token.kind === 'positional') (terminated ? after : before).push(token.value)
    else {
      const flag = flags.get(token.name)
      if (!flag) mistakes.push(await unknownOption(token.rawName, [...flags.keys()]))
      else {
        try {
          setValue(values, flag, token)
        } catch (error) {
          if (!(error instanceof VarveError)) throw error
          mistakes.push(error)
        }
      }
    }
  }
  for (const [key, spec] of Object.entries(specs)) values[key] ??= defaultOf(spec)

  const separate = command.afterDashDash === 'separate'
  const positionals = separate ? before : [...before, ...after]
  const globals = Object.fromEntries(
    Object.keys(globalOptions).map((key) => [key, values[key]]),
  ) as unknown as GlobalOptionValues
  if (!globals.help) {
    const mistake = mistakes[0] ?? positionalMistake(positionals, command.positionals)
    if (mistake !== undefined) throw withUsageHint(mistake, command)
  }
  const options = Object.fromEntries(Object.keys(command.options).map((key) => [key, values[key]]))
  return {
    globals,
    args: {
      options: options as ParsedArguments['args']['options'],
      positionals,
      dashDash: terminated ? after : undefined,
    },
  }
}

/** `rebuildIndex` is typed `--rebuild-index`. */
export function flagNameOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

type Flag = { key: string; spec: OptionSpec; negated: boolean }

function flagsOf(specs: Record<string, OptionSpec>): Map<string, Flag> {
  const flags = new Map<string, Flag>()
  for (const [key, spec] of Object.entries(specs)) {
    flags.set(flagNameOf(key), { key, spec, negated: false })
    if (spec.type === 'boolean' && spec.default) {
      flags.set(`no-${flagNameOf(key)}`, { key, spec, negated: true })
    }
  }
  return flags
}

function setValue(
  values: Record<string, unknown>,
  { key, spec, negated }: Flag,
  token: { rawName: string; value: string | undefined; inlineValue: boolean | undefined },
): void {
  const { rawName, value } = token
  if (spec.type === 'boolean') {
    if (value !== undefined) throw new VarveError('USAGE', `option ${rawName} takes no value`)
    values[key] = !negated
    return
  }
  if (value === undefined) throw new VarveError('USAGE', `option ${rawName} needs a value: ${spec.valueName}`)
  if (!token.inlineValue && value.length > 1 && value.startsWith('-')) {
    throw new VarveError('USAGE', `option ${rawName} needs a value: ${spec.valueName}`, {
      hint: `Write ${rawName}=${value} if '${value}' is the value.`,
    })
  }
  if (spec.type === 'number') {
    if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) {
      throw new VarveError('USAGE', `option ${rawName} needs a whole number, not '${value}'`)
    }
    if (Number(value) < (spec.least ?? 0)) {
      throw new VarveError('USAGE', `option ${rawName} must be ${spec.least} or more, not ${value}`)
    }
    values[key] = Number(value)
    return
  }
  if (spec.choices && !spec.choices.includes(value))
    throw notAChoice(`option ${rawName}`, value, spec.choices)
  if (spec.multiple) values[key] = [...((values[key] as string[] | undefined) ?? []), value]
  else values[key] = value
}

function defaultOf(spec: OptionSpec): unknown {
  if (spec.type === 'boolean') return spec.default ?? false
  if (spec.type === 'string' && spec.multiple) return []
  return spec.default
}

function positionalMistake(
  values: readonly string[],
  specs: readonly PositionalSpec[],
): VarveError | undefined {
  const missing = specs[values.length]
  if (missing?.required) return new VarveError('USAGE', `missing argument: ${missing.name}`)
  if (values.length > specs.length && !specs.at(-1)?.variadic) {
    return new VarveError('USAGE', `unexpected argument '${values[specs.length]}'`)
  }
  for (const [index, value] of values.entries()) {
    const spec = specs[Math.min(index, specs.length - 1)]!
    if (spec.choices && !spec.choices.includes(value)) return notAChoice(spec.name, value, spec.choices)
  }
  return undefined
}

/** A mistake that has no advice of its own gets the usage line. */
function withUsageHint(mistake: VarveError, { name, usage }: { name: string; usage: string }): VarveError {
  if (mistake.hint !== undefined) return mistake
  const hint =
    usage === '' ? 'Run `varve help`.' : `Write it as \`varve ${usage}\`; \`varve help ${name}\` tells more.`
  return new VarveError(mistake.code, mistake.message, { hint })
}

async function unknownOption(rawName: string, flags: readonly string[]): Promise<VarveError> {
  const { suggest } = await import('../core/suggest.ts')
  const suggestion = rawName.startsWith('--') ? suggest(rawName.slice(2), flags) : undefined
  const meant = suggestion === undefined ? '' : `; did you mean '--${suggestion}'?`
  return new VarveError('USAGE', `unknown option '${rawName}'${meant}`)
}

function notAChoice(what: string, value: string, choices: readonly string[]): VarveError {
  return new VarveError('USAGE', `${what} must be one of ${choices.join(', ')}, not '${value}'`)
}
