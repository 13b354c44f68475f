import type { Document } from 'yaml'
import type { ConfigSource } from '../config/config.ts'
import { editConfig } from '../config/edit-config.ts'
import { findRemote } from '../config/find-remote.ts'
import { loadConfig } from '../config/load-config.ts'
import { readParsedConfig } from '../config/read-parsed-config.ts'
import { configPathsOf, type Project } from '../project.ts'
import { changeConfig } from './config-change.ts'
import { defaultRemoteOf } from './remote-default.ts'

export type RemovedRemote = {
  /** The files that it was taken out of. */
  sources: ConfigSource[]
  wasDefault: boolean
  /** What commands use now when no remote is named. */
  defaultRemote: string | undefined
}

/**
 * Takes a remote out of both config files, and out of their defaults. What the place holds stays there.
 * @throws NOT_FOUND
 */
export async function removeRemote(
  project: Project,
  name: string,
  { stage }: { stage: boolean },
): Promise<RemovedRemote> {
  findRemote(project.config, name)
  const wasDefault = defaultRemoteOf(project.config) === name
  const paths = configPathsOf(project.repository)
  const sources: ConfigSource[] = []
  // Local first: cut off in between, what is left is a remote that all clones have.
  for (const source of ['local', 'committed'] as const) {
    const parsed = await readParsedConfig({ path: paths[source], source })
    if (!parsed?.remotes.has(name) && parsed?.defaultRemote !== name) continue
    sources.push(source)
    await changeConfig(project, { source, stage }, (file) =>
      editConfig(file, (document) => takeOut(document, name)),
    )
  }
  return { sources, wasDefault, defaultRemote: defaultRemoteOf(await loadConfig(paths)) }
}

function takeOut(document: Document, name: string): void {
  if (document.get('default') === name) document.delete('default')
  if (!document.hasIn(['remotes', name])) return
  document.deleteIn(['remotes', name])
  const remotes = document.get('remotes') as { items: readonly unknown[] }
  if (remotes.items.length === 0) document.delete('remotes')
}
