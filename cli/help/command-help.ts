import yargs, { type Options } from 'yargs'
import type { Command, CommandEntry, OptionSpec } from '../command.ts'
import { globalOptions } from '../global-options.ts'
import { flagNameOf } from '../parse-arguments.ts'
import type { Output } from '../render/output.ts'
import { wrapText } from '../render/wrap-text.ts'
import { renderDefinitions } from './render-definitions.ts'

/** Longer lines are hard to read, however wide the terminal is. */
const WIDEST = 100

/** The text of `varve NAME --help`. yargs lays out the options; the arguments themselves are read by parse-arguments.ts. */
export async function renderCommandHelp(
  entry: CommandEntry,
  command: Command,
  { paint, ...output }: Pick<Output, 'paint' | 'width'>,
): Promise<string> {
  const width = Math.min(output.width, WIDEST)
  const page = yargs([])
    .scriptName('varve')
    .detectLocale(false)
    .help(false)
    .version(false)
    .wrap(width)
    .usage('')
  addOptions(page, command.options, 'Options:')
  addOptions(page, globalOptions, 'Options of every command:')
  const options = (await page.getHelp()).trim()

  const sections = [`Usage: varve ${command.usage}`, `${entry.summary}.`]
  for (const paragraph of command.description?.trim().split(/\n{2,}/) ?? []) {
    sections.push(wrapText(paragraph, width).join('\n'))
  }
  if (command.positionals.length > 0) {
    const rows = command.positionals.map(
      ({ name, summary, choices }) =>
        [name, choices ? `${summary} (${choices.join(', ')})` : summary] as const,
    )
    sections.push(`${paint.bold('Arguments:')}\n${renderDefinitions(rows, { width }).trimEnd()}`)
  }
  sections.push(options.replace(/^\S.*:$/gm, (title) => paint.bold(title)))
  if (command.examples.length > 0) {
    const examples = renderDefinitions(command.examples, { width, paint: paint.dim })
    sections.push(`${paint.bold('Examples:')}\n${examples.trimEnd()}`)
  }
  return `${sections.join('\n\n')}\n`
}

function addOptions(page: ReturnType<typeof yargs>, specs: Record<string, OptionSpec>, group: string): void {
  for (const [key, spec] of Object.entries(specs)) {
    // Without a type yargs names none, and shows a key as it is: so the name of the value can be part of it.
    const option: Options = { group, describe: spec.summary }
    if (spec.short !== undefined) option.alias = spec.short
    if (spec.type === 'string' && spec.multiple) option.describe += '; can be repeated'
    if (spec.type === 'string' && spec.choices) option.choices = spec.choices
    if (spec.type !== 'boolean' && spec.default !== undefined) option.default = spec.default
    page.option(shownAs(key, spec), option)
  }
}

function shownAs(key: string, spec: OptionSpec): string {
  const flag = flagNameOf(key)
  if (spec.type !== 'boolean') return `${flag} ${spec.valueName}`
  return spec.default === true ? `no-${flag}` : flag
}
