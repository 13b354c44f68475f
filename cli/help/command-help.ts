import yargs, { type Options } from 'yargs'
import type { Command, CommandEntry, OptionSpec } from '../command.ts'
import { globalOptions } from '../global-options.ts'
import { flagNameOf } from '../parse-arguments.ts'
import type { Output } from '../render/output.ts'
import { renderTable } from '../render/table.ts'

/** The text of `varve NAME --help`. yargs lays out the options; the arguments themselves are read by parse-arguments.ts. */
export async function renderCommandHelp(
  entry: CommandEntry,
  command: Command,
  { paint, width }: Pick<Output, 'paint' | 'width'>,
): Promise<string> {
  const page = yargs([])
    .scriptName('varve')
    .detectLocale(false)
    .help(false)
    .version(false)
    .wrap(Math.min(width, 100))
    .usage('')
  addOptions(page, command.options, 'Options:')
  addOptions(page, globalOptions, 'Options of every command:')
  const options = (await page.getHelp()).trim()

  const argumentRows = command.positionals.map(({ name, summary, choices }) => [
    name,
    choices ? `${summary} (${choices.join(', ')})` : summary,
  ])
  const sections = [`Usage: varve ${command.usage}`, `${entry.summary}.`]
  if (command.description !== undefined) sections.push(command.description.trim())
  if (argumentRows.length > 0) {
    sections.push(`${paint.bold('Arguments:')}\n${renderTable(argumentRows, { indent: '  ' }).trimEnd()}`)
  }
  sections.push(options.replace(/^\S.*:$/gm, (title) => paint.bold(title)))
  if (command.examples.length > 0) {
    const rows = command.examples.map(([typed, meaning]) => [typed, paint.dim(meaning)])
    sections.push(`${paint.bold('Examples:')}\n${renderTable(rows, { indent: '  ' }).trimEnd()}`)
  }
  return `${sections.join('\n\n')}\n`
}

function addOptions(page: ReturnType<typeof yargs>, specs: Record<string, OptionSpec>, group: string): void {
  for (const [key, spec] of Object.entries(specs)) {
    const shownOff = spec.type === 'boolean' && spec.default === true
    const option: Options = { group, describe: spec.summary, type: spec.type }
    if (spec.short !== undefined) option.alias = spec.short
    if (spec.type === 'string' && spec.multiple) option.array = true
    if (spec.type === 'string' && spec.choices) option.choices = spec.choices
    if (spec.type !== 'boolean' && spec.default !== undefined) option.default = spec.default
    page.option(shownOff ? `no-${flagNameOf(key)}` : flagNameOf(key), option)
  }
}
