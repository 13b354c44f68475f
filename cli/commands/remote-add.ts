import { addRemote } from '../../core/operations/remote-add.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { storedUrl } from '../stored-url.ts'
import { warnOfRemoteInGit } from '../warn-of-remote-in-git.ts'

export const remoteAddCommand = defineCommand({
  usage: 'remote add <name> <url>',
  description:
    'Writes the remote into varve.yaml, which all clones share, or with --local into the config of this clone. The ' +
    'first remote becomes the default. A relative path is read from where you are, and stored relative to the root ' +
    'of the repository. The place is not asked for anything: `varve remote test` does that.',
  examples: [
    ['varve remote add origin /mnt/nas/photos', 'a folder, here on a mounted share'],
    ['varve remote add origin file:///mnt/nas/photos', 'the same, as a URL'],
    ['varve remote add scratch ../scratch --local', 'for this clone alone'],
  ],
  options: {
    default: { type: 'boolean', summary: 'Use it when no remote is named' },
    local: { type: 'boolean', summary: 'For this clone alone: nothing is committed' },
    stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' },
  },
  positionals: [
    { name: 'name', summary: 'What to call it', required: true },
    { name: 'url', summary: 'A plain path, or file:///path/to/folder', required: true },
  ],
  async run({ cwd, output }, { options, positionals }) {
    const [name, typed] = positionals as [string, string]
    const project = await openProject(cwd)
    const source = options.local ? 'local' : 'committed'
    const url = await storedUrl(project, typed, source)
    const { isDefault } = await addRemote(project, {
      name,
      url,
      source,
      stage: options.stage,
      makeDefault: options.default,
    })
    await warnOfRemoteInGit(project, url, output)
    output.summary({ name, url, source, default: isDefault }, () => {
      const role = isDefault ? ', the default' : ''
      return `added the remote ${name}${role}: ${url}`
    })
  },
})
