import { addRemote } from '../../core/operations/remote-add.ts'
import { openProject } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { storedUrl } from '../stored-url.ts'
import { checkTypedRemote, trustTypedPlace } from '../typed-remote.ts'
import { warnOfBucketOverWeb } from '../warn-of-bucket-over-web.ts'
import { warnOfRemoteInGit } from '../warn-of-remote-in-git.ts'

export const remoteAddCommand = defineCommand({
  usage: 'remote add <name> <url>',
  description:
    'Writes the remote into varve.yaml, which all clones share, or with --local into the config of this clone. The ' +
    'first remote becomes the default. A relative path is read from where you are, and stored relative to the root ' +
    'of the repository. The place is not asked for anything: `varve remote test` does that. More about a bucket is set ' +
    'with `varve remote set`.',
  examples: [
    ['varve remote add origin /mnt/nas/photos', 'a folder, here on a mounted share'],
    ['varve remote add origin s3://bucket/photos --region eu-central-1', 'a prefix in a bucket of S3'],
    ['varve remote add near s3://bucket/x --endpoint-url https://s3.example.org', 'not Amazon’s'],
    ['varve remote add origin ssh://me@host/srv/photos', 'a folder on a server'],
    ['varve remote add mirror https://data.example.org/photos', 'a published mirror, to read from'],
    ['varve remote add scratch ../scratch --local', 'for this clone alone'],
  ],
  options: {
    endpointUrl: { type: 'string', valueName: 'URL', summary: 'The service, where it is not Amazon’s' },
    region: { type: 'string', valueName: 'REGION', summary: 'The region of the bucket' },
    profile: { type: 'string', valueName: 'NAME', summary: 'The profile in ~/.aws that has the credentials' },
    default: { type: 'boolean', summary: 'Use it when no remote is named' },
    local: { type: 'boolean', summary: 'For this clone alone: nothing is committed' },
    stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' },
  },
  positionals: [
    { name: 'name', summary: 'What to call it', required: true },
    { name: 'url', summary: 'A path, or s3://, ssh://, https:// or file://', required: true },
  ],
  async run({ cwd, output }, { options, positionals }) {
    const [name, typed] = positionals as [string, string]
    const project = await openProject(cwd)
    const source = options.local ? 'local' : 'committed'
    const url = await storedUrl(project, typed, source)
    const settings = new Map(
      SETTINGS.flatMap((key) => (options[key] === undefined ? [] : [[key, options[key]] as const])),
    )
    const changes = new Map([['url', url], ...settings])
    // One that is there already is refused below.
    const isNew = !project.config.remotes.has(name)
    const place = isNew ? await checkTypedRemote(project, { name, source, changes }) : undefined
    const { isDefault } = await addRemote(project, {
      name,
      url,
      settings,
      source,
      stage: options.stage,
      makeDefault: options.default,
    })
    await trustTypedPlace(project, place, { source, output })
    await warnOfRemoteInGit(project, url, output)
    await warnOfBucketOverWeb(url, output)
    output.summary({ name, url, settings: Object.fromEntries(settings), source, default: isDefault }, () => {
      const role = isDefault ? ', the default' : ''
      return `added the remote ${name}${role}: ${url}`
    })
  },
})

const SETTINGS = ['endpointUrl', 'region', 'profile'] as const
