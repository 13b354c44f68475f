import { removeRemote } from '../../core/operations/remote-remove.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'

export const remoteRemoveCommand = defineCommand({
  usage: 'remote remove <name>',
  description:
    'Takes the remote out of varve.yaml and of the config of this clone. What was pushed to it stays there.',
  examples: [['varve remote remove scratch', 'forget this remote']],
  options: { stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' } },
  positionals: [{ name: 'name', summary: 'The remote', required: true }],
  async run({ cwd, output }, { options, positionals }) {
    const name = positionals[0]!
    const project = await openProject(cwd)
    const { sources, wasDefault, defaultRemote } = await removeRemote(project, name, options)
    output.summary(
      { name, sources, default: defaultRemote ?? null },
      () => `removed the remote ${name}; what it holds stays there`,
    )
    const others = project.config.remotes.size - 1
    if (!wasDefault || others === 0) return
    output.note(
      defaultRemote === undefined
        ? 'No remote is the default now; `varve remote default NAME` sets one.'
        : `The default is now ${defaultRemote}.`,
    )
  },
})
