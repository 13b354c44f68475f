import { isRegularFileMode } from './file-mode.ts'
import { type GitObjectId, toGitObjectId } from './object-id.ts'
import { POINTER_PATHSPEC, pointerPathFrom } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

/** `stage` 0: merged. Otherwise the path is in conflict: 1 the common ancestor, 2 ours, 3 theirs. */
export type IndexPointer = { path: string; blobSha: GitObjectId; stage: 0 | 1 | 2 | 3 }

/** The pointers that git's index holds, in its order; a path in conflict once for each side. */
export async function readIndexPointers(repository: Repository): Promise<IndexPointer[]> {
  const args = ['ls-files', '-z', '--stage', '--', POINTER_PATHSPEC]
  const pointers: IndexPointer[] = []
  for await (const records of splitRecords(streamGit(repository.root, args, { pathspecs: 'glob' }))) {
    for (const record of records) {
      // MODE SP OBJECT SP STAGE TAB PATH
      const tab = record.indexOf('\t')
      const path = pointerPathFrom(record.subarray(tab + 1))
      if (path === undefined) continue
      const [mode, blobSha, stage] = record.toString('latin1', 0, tab).split(' ')
      if (!isRegularFileMode(mode!)) continue
      pointers.push({ path, blobSha: toGitObjectId(blobSha!), stage: Number(stage) as IndexPointer['stage'] })
    }
  }
  return pointers
}
