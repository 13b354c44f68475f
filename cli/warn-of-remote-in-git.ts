import { unignoredPathOf } from '../core/operations/unignored-path.ts'
import type { Project } from '../core/project.ts'
import type { Output } from './render/output.ts'

/** Packs in a folder of the work tree are files like any other to git. `url` is as the config holds it. */
export async function warnOfRemoteInGit(
  project: Project,
  url: string,
  output: Pick<Output, 'warn'>,
): Promise<void> {
  const { localFolderOf } = await import('../remotes/open.ts')
  const folder = localFolderOf(url, { baseFolder: project.repository.root })
  const path = folder === undefined ? undefined : await unignoredPathOf(project, folder)
  if (path === undefined) return
  const remedy =
    path === '' ? 'choose a folder of its own' : `add /${path}/ to .gitignore, or choose a folder outside`
  output.warn(
    `${url} lies in the work tree, and git does not ignore it: \`git add .\` would take its packs into git; ${remedy}`,
  )
}
