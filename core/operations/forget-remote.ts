import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { RemoteConfig } from '../config/config.ts'
import type { Project } from '../project.ts'
import { folderNameOf } from './workbench.ts'

/**
 * Drops what this clone knows of the place that these settings name: it is asked for everything anew, and an empty place
 * is made a remote by the next push.
 */
export function forgetRemote({ localFolder }: Project, settings: RemoteConfig['settings']): void {
  rmSync(join(localFolder, 'remotes', folderNameOf(settings)), { recursive: true, force: true })
}
