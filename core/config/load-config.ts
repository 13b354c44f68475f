import { dirname } from 'node:path'
import { VarveError } from '../errors.ts'
import type { Config, ConfigFile, ConfigPaths, RemoteConfig, Sourced } from './config.ts'
import type { ParsedConfig } from './parse-config.ts'
import { readParsedConfig } from './read-parsed-config.ts'

/**
 * Reads the committed and the local config and merges them, key by key; the local value goes first.
 *
 * @throws NOT_INITIALISED when there is no committed config; TOO_NEW; CONFLICT; BAD_CONFIG.
 */
export async function loadConfig(paths: ConfigPaths): Promise<Config> {
  const [committed, local] = await Promise.all([
    readParsedConfig({ path: paths.committed, source: 'committed' }),
    readParsedConfig({ path: paths.local, source: 'local' }),
  ])
  if (committed === undefined) {
    throw new VarveError('NOT_INITIALISED', `varve is not set up in ${dirname(paths.committed)}`, {
      hint: 'Run `varve init`.',
    })
  }
  if (committed.repositoryId === undefined) {
    throw new VarveError('NOT_INITIALISED', `${paths.committed} has no line \`repository\``, {
      hint: 'Run `varve init`, which adds it.',
    })
  }
  return {
    repositoryId: committed.repositoryId,
    store: sourced(local?.store, 'local'),
    remotes: mergeRemotes(committed, local),
    defaultRemote: sourced(local?.defaultRemote, 'local') ?? sourced(committed.defaultRemote, 'committed'),
  }
}

function sourced(value: string | undefined, source: ConfigFile['source']): Sourced<string> | undefined {
  return value === undefined ? undefined : { value, source }
}

function mergeRemotes(
  committed: ParsedConfig,
  local: ParsedConfig | undefined,
): ReadonlyMap<string, RemoteConfig> {
  const remotes = new Map<string, { name: string; settings: Map<string, Sourced<string>> }>()
  for (const [source, parsed] of [['committed', committed] as const, ['local', local] as const]) {
    for (const [name, settings] of parsed?.remotes ?? []) {
      const remote = remotes.get(name) ?? { name, settings: new Map() }
      remotes.set(name, remote)
      for (const [key, value] of settings) remote.settings.set(key, { value, source })
    }
  }
  return remotes
}
