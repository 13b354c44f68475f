import { listRemotes } from '../../core/operations/remote-list.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { renderTable } from '../render/table.ts'

export const remoteListCommand = defineCommand({
  usage: 'remote list',
  examples: [
    ['varve remote list', 'names and URLs; the default has a star'],
    ['varve remote list --json', 'for scripts'],
  ],
  options: {},
  positionals: [],
  async run({ cwd, output }) {
    const { config } = await openProject(cwd)
    const remotes = listRemotes(config).map(({ name, url, source, isDefault }) => ({
      name,
      url: url ?? null,
      source: source ?? null,
      default: isDefault,
    }))
    output.result({ remotes }, () =>
      renderTable(
        remotes.map(({ name, url, source, default: isDefault }) => [
          isDefault ? '*' : ' ',
          name,
          url ?? '(no URL)',
          source === 'local' ? '(this clone)' : '',
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
