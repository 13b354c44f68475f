import { REMOTE_KEYS } from '../../core/config/config-keys.ts'
import { findRemote } from '../../core/config/find-remote.ts'
import { settingPath } from '../../core/config/setting-path.ts'
import { VarveError } from '../../core/errors.ts'
import { setRemote } from '../../core/operations/remote-set.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { storedUrl } from '../stored-url.ts'
import { checkTypedRemote, trustTypedPlace } from '../typed-remote.ts'
import { warnOfBucketOverWeb } from '../warn-of-bucket-over-web.ts'
import { warnOfRemoteInGit } from '../warn-of-remote-in-git.ts'

export const remoteSetCommand = defineCommand({
  usage: 'remote set <name> <key> [value]',
  description:
    'Without a value, or with --unset, the setting is taken out. A setting with --local stands before the committed ' +
    'one, for this clone alone.',
  examples: [
    ['varve remote set origin url /mnt/nas/new', 'the remote has moved'],
    ['varve remote set origin storageClass STANDARD_IA', 'how S3 is to keep what is pushed from now on'],
    ['varve remote set origin profile work --local', 'whose credentials this clone uses'],
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
    { name: 'key', summary: `The setting: ${REMOTE_KEYS.join(', ')}`, required: true },
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
    findRemote(project.config, name)
    // What is no setting at all is refused as such.
    settingPath(`remotes.${name}.${key}`, source)
    const changes = new Map(value === undefined ? [] : [[key, value]])
    const place = value === undefined ? undefined : await checkTypedRemote(project, { name, source, changes })
    const shadow = await setRemote(project, { name, key, value, source, stage: options.stage })
    await trustTypedPlace(project, place, { source, output })
    if (key === 'url' && value !== undefined) {
      await warnOfRemoteInGit(project, value, output)
      await warnOfBucketOverWeb(value, output)
    }
    output.summary({ name, key, value: value ?? null, source }, () =>
      value === undefined
        ? `took out ${key} of the remote ${name}`
        : `set ${key} of the remote ${name}: ${value}`,
    )
    if (shadow !== undefined) {
      output.warn(`this clone has a ${key} of its own for ${name}, ${shadow}; --local changes it`)
    }
  },
})
