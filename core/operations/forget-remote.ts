import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Project } from '../project.ts'
import { folderNameOf } from './workbench.ts'

/**
 * Drops what this clone knows of the place at `url`, as it stands in the config: it is asked for everything anew, and
 * an empty place is made a remote by the next push.
 */
export function forgetRemote({ localFolder }: Project, url: string): void {
  rmSync(join(localFolder, 'remotes', folderNameOf(url)), { recursive: true, force: true })
}
