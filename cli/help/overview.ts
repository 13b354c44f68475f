import type { CommandEntry, CommandGroup } from '../command.ts'
import type { Paint } from '../render/paint.ts'
import { renderTable } from '../render/table.ts'

const titles: Record<CommandGroup, string> = {
  start: 'Start',
  everyday: 'Everyday',
  share: 'Share',
  inspect: 'Inspect',
  setup: 'Set up',
}

/** The commands by group. With `prefix` they are the two-word commands that begin with it. */
export function renderOverview(
  commands: readonly CommandEntry[],
  { prefix, paint }: { prefix: string | undefined; paint: Paint },
): string {
  const nameWidth = Math.max(...commands.map(({ name }) => name.length))
  const groups = (Object.keys(titles) as CommandGroup[])
    .map((group) => ({ group, members: commands.filter((command) => command.group === group) }))
    .filter(({ members }) => members.length > 0)
    .map(({ group, members }) => {
      const rows = members.map(({ name, summary }) => [paint.cyan(name.padEnd(nameWidth)), summary])
      return `${paint.bold(titles[group])}\n${renderTable(rows, { indent: '  ' })}`
    })
  const words = prefix === undefined ? '' : ` ${prefix}`
  return [
    `Usage: varve [-C PATH] [--json] [-q] [-v]${words} <command> [...]\n`,
    ...groups,
    `'varve help${words} <command>' or 'varve${words} <command> --help' shows how to use one.\n`,
  ].join('\n')
}
