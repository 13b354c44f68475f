import type { ConfigSource } from '../../core/config/config.ts'
import { listRemotes } from '../../core/operations/remote-list.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { renderTable } from '../render/table.ts'

export const remoteListCommand = defineCommand({
  usage: 'remote list',
  examples: [
    ['varve remote list', 'names and URLs; the default has a star'],
    ['varve remote list -v', 'and what else is set of each'],
    ['varve remote list --json', 'for scripts'],
  ],
  options: {},
  positionals: [],
  async run({ cwd, output }) {
    const { config } = await openProject(cwd)
    const remotes = listRemotes(config).map(({ name, url, source, settings, isDefault }) => ({
      name,
      url: url ?? null,
      source: source ?? null,
      settings: Object.fromEntries(settings),
      default: isDefault,
    }))
    output.result({ remotes }, () =>
      renderTable(
        remotes.flatMap(({ name, url, source, settings, default: isDefault }) => [
          [isDefault ? '*' : ' ', name, url ?? '(no URL)', ofThisClone(source)],
          ...(output.verbose ? Object.entries(settings) : []).map(([key, setting]) => [
            ...['', '', `${key}: ${setting.value}`],
            ofThisClone(setting.source),
          ]),
        ]),
      ),
    )
    if (remotes.length === 0) output.note('No remote is configured; `varve remote add NAME URL` adds one.')
    const set = config.defaultRemote?.value
    if (set !== undefined && !config.remotes.has(set)) {
      output.warn(
        `the default is ${set}, and no remote is called that; set it with \`varve remote default NAME\``,
      )
    }
  },
})

function ofThisClone(source: ConfigSource | null): string {
  return source === 'local' ? '(this clone)' : ''
}
