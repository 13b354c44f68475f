import { isRegularFileMode } from './file-mode.ts'
import { type GitObjectId, toGitObjectId } from './object-id.ts'
import { pointerPathFrom } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { requireRevision } from './resolve-revision.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

export type TreePointer = { path: string; blobSha: GitObjectId }

/**
 * The pointers in the tree of a revision, in git's order. `paths` narrows it to these files and what lies
 * below these folders. Symbolic links and sub-modules are no pointers, whatever they are called.
 *
 * @throws NOT_FOUND when `revision` names no commit.
 */
export async function listTreePointers(
  repository: Repository,
  revision: string,
  options: { paths?: readonly string[] } = {},
): Promise<TreePointer[]> {
  const commit = await requireRevision(repository, revision)
  const args = ['ls-tree', '-r', '-z', '--full-tree', commit, '--', ...(options.paths ?? [])]
  const pointers: TreePointer[] = []
  for await (const records of splitRecords(streamGit(repository.root, args))) {
    for (const record of records) {
      // MODE SP TYPE SP OBJECT TAB PATH
      const tab = record.indexOf('\t')
      const path = pointerPathFrom(record.subarray(tab + 1))
      if (path === undefined) continue
      const [mode, , blobSha] = record.toString('latin1', 0, tab).split(' ')
      if (isRegularFileMode(mode!)) pointers.push({ path, blobSha: toGitObjectId(blobSha!) })
    }
  }
  return pointers
}
