import type { ConfigSource } from '../../core/config/config.ts'
import { flattenConfig } from '../../core/config/flatten-config.ts'
import { getConfigValue } from '../../core/config/get-config-value.ts'
import { settingPath } from '../../core/config/setting-path.ts'
import { VarveError } from '../../core/errors.ts'
import { refuseStoreKey, setConfig } from '../../core/operations/config-set.ts'
import { unsetConfig } from '../../core/operations/config-unset.ts'
import { openProject, type Project } from '../../core/project.ts'
import { defineCommand } from '../command.ts'
import type { Output } from '../render/output.ts'
import { renderTable } from '../render/table.ts'
import { storedUrl } from '../stored-url.ts'
import { checkTypedRemote, trustTypedPlace } from '../typed-remote.ts'

export const configCommand = defineCommand({
  usage: 'config [key] [value]',
  description:
    'Without a value it shows the one in force, and ends with 1 where there is none. Values come from varve.yaml, ' +
    'which all clones share (committed), and from .git/varve/config.yaml (local), which stands before it.',
  examples: [
    ['varve config', 'all that is set, and where'],
    ['varve config remotes.origin.url', 'show one value'],
    ['varve config default backup --local', 'set one, for this clone alone'],
    ['varve config --unset default --local', 'take one out'],
  ],
  options: {
    list: { type: 'boolean', short: 'l', summary: 'Show all that is set' },
    unset: { type: 'boolean', summary: 'Take the value out' },
    local: { type: 'boolean', summary: 'Set, take out or show what is for this clone alone' },
    stage: { type: 'boolean', default: true, summary: 'Do not stage varve.yaml with git' },
  },
  positionals: [
    { name: 'key', summary: 'Such as default, or remotes.NAME.url' },
    { name: 'value', summary: 'Its new value' },
  ],
  async run({ cwd, output }, { options, positionals }) {
    const [key, value] = positionals
    checkUsage(options, positionals)
    const project = await openProject(cwd)
    const change = { source: options.local ? 'local' : 'committed', stage: options.stage } as const
    if (key === undefined) {
      list(project, options.local, output)
      return 0
    }
    if (options.unset) {
      await unsetConfig(project, key, change)
      output.summary({ key, value: null, source: change.source }, () => `took out ${key}`)
      return 0
    }
    if (value === undefined) return show(project, { key, localOnly: options.local }, output)
    await set(project, { key, value, ...change }, output)
    return 0
  },
})

function checkUsage(options: { list: boolean; unset: boolean }, positionals: readonly string[]): void {
  if (options.list && (options.unset || positionals.length > 0)) {
    throw new VarveError('USAGE', '--list shows everything, so it goes with no key and not with --unset')
  }
  if (options.unset && positionals.length !== 1) {
    throw new VarveError('USAGE', '--unset goes with one key and no value')
  }
}

function list(project: Project, localOnly: boolean, output: Output): void {
  const all = flattenConfig(project.config)
  const settings = all.filter(({ source }) => !localOnly || source === 'local')
  output.result({ settings }, () =>
    renderTable(settings.map(({ key, value, source }) => [key, value, `(${source})`])),
  )
}

/** Nothing is printed for what is not set: a script reads the exit code. */
function show(
  project: Project,
  { key, localOnly }: { key: string; localOnly: boolean },
  output: Output,
): number {
  const found = getConfigValue(project.config, key)
  const setting = localOnly && found?.source !== 'local' ? undefined : found
  output.result(
    { key, value: setting?.value ?? null, source: setting?.source ?? null },
    () => setting?.value ?? '',
  )
  return setting === undefined ? 1 : 0
}

async function set(
  project: Project,
  setting: { key: string; value: string; source: ConfigSource; stage: boolean },
  output: Output,
): Promise<void> {
  const { key, source, stage } = setting
  refuseStoreKey(key)
  // Throws for what is no key, before anything is made of it.
  const [top, name, remoteKey] = settingPath(key, source) as [string, string?, string?]
  const value = remoteKey === 'url' ? await storedUrl(project, setting.value, source) : setting.value
  const place =
    top === 'remotes' && name !== undefined && remoteKey !== undefined
      ? await checkTypedRemote(project, { name, source, changes: new Map([[remoteKey, value]]) })
      : undefined
  await setConfig(project, { key, value }, { source, stage })
  await trustTypedPlace(project, place, { source, output })
  output.summary({ key, value, source }, () => `set ${key}: ${value}`)
}
