import { findRemote } from '../../core/config/find-remote.ts'
import { type TrustedPlace, TrustedPlaces } from '../../core/config/trusted-places.ts'
import { VarveError } from '../../core/errors.ts'
import { openProject, type Project } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import { remoteInUse } from '../remote-in-use.ts'
import type { Output } from '../render/output.ts'
import { renderTable } from '../render/table.ts'
import { trustOfRemote } from '../trust-of-remote.ts'
import { warnOfExposedPlace } from '../typed-remote.ts'

export const trustCommand = defineCommand({
  usage: 'trust [name]',
  description:
    'varve.yaml comes with a clone, so what it names is somebody else’s word. A host that would be shown your keys or ' +
    'credentials is used only after this command, or your yes to a question: an SSH server, and an S3 service that is ' +
    'not Amazon’s. A web server is read without credentials until then. What you set yourself in this clone is ' +
    'trusted. Without a name it lists the places, and whether they are trusted.',
  examples: [
    ['varve trust', 'which places there are, and which are trusted'],
    ['varve trust origin', 'trust the host that this remote is at, in this clone'],
    ['varve trust origin --remove', 'ask again'],
    ['varve trust --remove --all', 'forget all that was trusted'],
  ],
  options: {
    remove: { type: 'boolean', summary: 'Trust it no more' },
    all: { type: 'boolean', summary: 'With --remove: every place' },
  },
  positionals: [{ name: 'name', summary: 'The remote; with --remove also a place as it is listed' }],
  async run({ cwd, output }, { options, positionals }) {
    const [name] = positionals
    if (options.all && (!options.remove || name !== undefined)) {
      throw new VarveError('USAGE', '--all goes with --remove and no name', {
        hint: 'Trust remotes one by one, when you have looked at them: `varve trust` lists them.',
      })
    }
    if (options.remove && name === undefined && !options.all) {
      throw new VarveError('USAGE', '--remove goes with the name of a remote, or with --all')
    }
    const project = await openProject(cwd)
    const trusted = await TrustedPlaces.read(project.localFolder)
    if (options.remove) return remove({ project, trusted, output }, name)
    if (name === undefined) return list({ project, trusted, output })
    return trust({ project, trusted, output }, name)
  },
})

type Context = { project: Project; trusted: TrustedPlaces; output: Output }

async function trust({ project, trusted, output }: Context, name: string): Promise<void> {
  const place = trustOfRemote(remoteInUse(findRemote(project.config, name)), trusted)
  if (place === undefined) {
    output.summary({ name, kind: null, origin: null, trusted: true }, () => {
      return `${name} needs no trust: it is a folder, or at Amazon’s own place`
    })
    return
  }
  const { kind, origin } = place
  // A place of this clone's config too: it stays trusted when varve.yaml names it.
  await trusted.add(place)
  warnOfExposedPlace(place, output)
  output.summary({ name, kind, origin, trusted: true }, () => `trusted in this clone: ${origin} (${kind})`)
}

async function remove({ project, trusted, output }: Context, name: string | undefined): Promise<void> {
  const places = name === undefined ? trusted.list() : placesNamed({ project, trusted }, name)
  await trusted.remove(places)
  output.summary({ removed: places }, () =>
    places.length === 0
      ? 'nothing was trusted'
      : places.map(({ kind, origin }) => `no longer trusted: ${origin} (${kind})`).join('\n'),
  )
  const place = name === undefined ? undefined : placeOf({ project, trusted }, name)
  if (place?.source === 'local') {
    output.warn(`${name} stays trusted: the config of this clone says that it is there`)
  }
}

/** @throws NOT_FOUND for what is neither a remote with a trusted place nor such a place */
function placesNamed(context: Pick<Context, 'project' | 'trusted'>, name: string): TrustedPlace[] {
  const place = placeOf(context, name)
  const found = context.trusted
    .list()
    .filter(({ kind, origin }) => origin === (place?.origin ?? name) && (!place || kind === place.kind))
  if (found.length > 0) return found
  throw new VarveError('NOT_FOUND', `no trusted place belongs to ${JSON.stringify(name)}`, {
    hint: '`varve trust` lists the remotes and the places.',
  })
}

function placeOf({ project, trusted }: Pick<Context, 'project' | 'trusted'>, name: string) {
  const remote = project.config.remotes.get(name)
  return remote === undefined ? undefined : trustOfRemote(remoteInUse(remote), trusted)
}

function list({ project, trusted, output }: Context): void {
  const remotes = [...project.config.remotes.values()].flatMap((remote) => {
    try {
      const place = trustOfRemote(remoteInUse(remote), trusted)
      if (place === undefined) return []
      const { kind, origin, source, isTrusted, isReadableWithout } = place
      const use: 'credentials' | 'all' = isReadableWithout ? 'credentials' : 'all'
      return [{ name: remote.name, kind, origin, source, for: use, trusted: isTrusted }]
    } catch (error) {
      if (!(error instanceof VarveError)) throw error
      output.warn(error.message)
      return []
    }
  })
  const unused = trusted
    .list()
    .filter(({ kind, origin }) => !remotes.some((one) => one.kind === kind && one.origin === origin))
  output.result({ remotes, unused }, () =>
    renderTable([
      ...remotes.map((one) => [one.name, one.origin, stateOf(one)]),
      ...unused.map(({ kind, origin }) => ['', origin, `trusted, as ${kind}; no remote is there now`]),
    ]),
  )
  if (remotes.length + unused.length === 0) {
    output.note('No remote is at a place that would have to be trusted.')
  }
}

function stateOf(remote: { trusted: boolean; source: string; for: 'credentials' | 'all' }): string {
  if (remote.trusted) return remote.source === 'local' ? 'trusted: set in this clone' : 'trusted'
  return remote.for === 'credentials' ? 'read without credentials' : 'not trusted'
}
