import { VarveError } from '../../core/errors.ts'
import { setRemote } from '../../core/operations/remote-set.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { storedUrl } from '../stored-url.ts'
import { warnOfRemoteInGit } from '../warn-of-remote-in-git.ts'

export const remoteSetCommand = defineCommand({
  usage: 'remote set <name> <key> [value]',
  description:
    'Without a value, or with --unset, the setting is taken out. A setting with --local stands before the committed ' +
    'one, for this clone alone.',
  examples: [
    ['varve remote set origin url /mnt/nas/new', 'the remote has moved'],
    ['varve remote set origin url /mnt/mirror --local', 'use a mirror in this clone'],
    ['varve remote set origin url --unset --local', 'use what the others use again'],
  ],
  options: {
    unset: { type: 'boolean', summary: 'Take the setting out' },
    local: { type: 'boolean', summary: 'For this clone alone: nothing is committed' },
    stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' },
  },
  positionals: [
    { name: 'name', summary: 'The remote', required: true },
    { name: 'key', summary: 'The setting: url', required: true },
    { name: 'value', summary: 'Its new value' },
  ],
  async run({ cwd, output }, { options, positionals }) {
    const [name, key, typed] = positionals as [string, string, string | undefined]
    if (options.unset && typed !== undefined) {
      throw new VarveError('USAGE', '--unset takes a setting out, so there is no value to give')
    }
    const project = await openProject(cwd)
    const source = options.local ? 'local' : 'committed'
    const value = typed !== undefined && key === 'url' ? await storedUrl(project, typed, source) : typed
    await setRemote(project, { name, key, value, source, stage: options.stage })
    if (key === 'url' && value !== undefined) await warnOfRemoteInGit(project, value, output)
    output.summary({ name, key, value: value ?? null, source }, () =>
      value === undefined
        ? `took out ${key} of the remote ${name}`
        : `set ${key} of the remote ${name}: ${value}`,
    )
  },
})
