import { VarveError } from '../../core/errors.ts'
import { suggest } from '../../core/suggest.ts'
import type { CommandEntry } from '../command.ts'
import type { Output } from '../render/output.ts'
import { renderOverview } from './overview.ts'

/**
 * Prints the help of the command called `name`; of the commands that begin with that word; or of all.
 * @throws USAGE where there is none.
 */
export async function help(options: {
  name: string | undefined
  commands: readonly CommandEntry[]
  output: Output
}): Promise<void> {
  const { name, commands, output } = options
  const entry = commands.find((one) => one.name === name)
  if (entry) {
    const [command, { renderCommandHelp }] = await Promise.all([entry.load(), import('./command-help.ts')])
    const text = await renderCommandHelp(entry, command, output)
    const { usage, examples } = command
    output.result({ name: entry.name, summary: entry.summary, usage: `varve ${usage}`, examples }, () => text)
    return
  }
  const shown = name === undefined ? commands : commands.filter((one) => one.name.startsWith(`${name} `))
  if (shown.length === 0) {
    const suggestion = suggest(
      name!,
      commands.map((one) => one.name),
    )
    const meant = suggestion === undefined ? '' : `; did you mean '${suggestion}'?`
    throw new VarveError('USAGE', `no help for '${name}'${meant}`, {
      hint: "Run 'varve help' to see all commands.",
    })
  }
  output.result({ commands: shown.map(({ name, group, summary }) => ({ name, group, summary })) }, () =>
    renderOverview(shown, { prefix: name, paint: output.paint }),
  )
}
