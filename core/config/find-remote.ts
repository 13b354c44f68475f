import { VarveError } from '../errors.ts'
import { suggest } from '../suggest.ts'
import type { Config, RemoteConfig } from './config.ts'

/**
 * The remote of that name; without a name the default one, or the only one there is.
 *
 * @throws NO_REMOTE when none is configured, NOT_FOUND for a name that no remote has, USAGE when there are
 *   several and no default.
 */
export function findRemote(config: Config, name?: string): RemoteConfig {
  const wanted = name ?? config.defaultRemote?.value
  if (config.remotes.size === 0 && name === undefined) {
    throw new VarveError('NO_REMOTE', 'no remote is configured', {
      hint: 'Add one with `varve remote add NAME URL`.',
    })
  }
  if (wanted !== undefined) return findNamed(config, wanted)
  const [only, ...others] = config.remotes.values()
  if (only !== undefined && others.length === 0) return only
  throw new VarveError('USAGE', `there are ${config.remotes.size} remotes, and none is the default`, {
    hint: 'Name one with `-r NAME`, or set it with `varve remote default NAME`.',
  })
}

function findNamed(config: Config, name: string): RemoteConfig {
  const remote = config.remotes.get(name)
  if (remote !== undefined) return remote
  const meant = suggest(name, config.remotes.keys())
  throw new VarveError('NOT_FOUND', `no remote is called ${JSON.stringify(name)}`, {
    hint:
      meant === undefined
        ? '`varve remote list` shows those there are; `varve remote add NAME URL` adds one.'
        : `Did you mean \`${meant}\`?`,
  })
}
