import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { POINTER_PATHSPEC, pointerPathFrom } from './pointer-path.ts'
import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

/** A pointer of the working tree. `missing`: git tracks it, but its file is gone. */
export type PointerPath = { path: string; missing: boolean }

/**
 * The pointers that git tracks, and those that it does not track yet and does not ignore; sorted by path,
 * relative to the root. Pointers that a sparse checkout leaves out are not listed. The files are not looked
 * at: whoever reads one must expect a link or a folder.
 */
export async function listPointerPaths(repository: Repository): Promise<PointerPath[]> {
  const args = ['ls-files', '-z', '-t', '--cached', '--others', '--deleted', '--exclude-standard']
  const output = streamGit(repository.root, [...args, '--', POINTER_PATHSPEC], { pathspecs: 'glob' })
  const missingByPath = new Map<string, boolean>()
  for await (const records of splitRecords(output)) {
    for (const record of records) {
      // A tag, a space, the path. R: deleted from the work tree; S: left out by a sparse checkout.
      const tag = String.fromCharCode(record[0]!)
      const path = pointerPathFrom(record.subarray(2))
      if (path === undefined) continue
      if (tag === 'S' && !(await exists(join(repository.root, path)))) continue
      missingByPath.set(path, tag === 'R' || missingByPath.get(path) === true)
    }
  }
  return [...missingByPath]
    .map(([path, missing]) => ({ path, missing }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
