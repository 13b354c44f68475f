import { resolve } from 'node:path'
import type { ConfigSource } from '../core/config/config.ts'
import type { Project } from '../core/project.ts'

/**
 * The URL of a remote as the config is to hold it, from what the user typed. The local file is read by every worktree
 * of this machine, wherever it lies, so there a path is absolute.
 * @throws BAD_CONFIG
 */
export async function storedUrl(project: Project, typed: string, source: ConfigSource): Promise<string> {
  const { rebaseUrl } = await import('../remotes/rebase-url.ts')
  const { root, prefix } = project.repository
  const keep = source === 'local' ? 'absolute' : 'relative'
  return rebaseUrl(typed, { from: resolve(root, prefix), to: root, keep })
}
