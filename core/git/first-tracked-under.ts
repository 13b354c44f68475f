import { foldersAbove } from '../folders-above.ts'
import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

/** With so many paths, git is faster at telling all it has than at matching each file against each path. */
const MOST_PATHSPECS = 16

/** For each of `paths` at which, or below which, git itself tracks something: the first such file. */
export async function firstTrackedUnder(
  repository: Repository,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  if (paths.length === 0) return found
  const wanted = new Set(paths)
  const args = ['ls-files', '-z', '--cached', '--', ...(paths.length > MOST_PATHSPECS ? [] : paths)]
  for await (const records of splitRecords(streamGit(repository.root, args))) {
    for (const record of records) {
      const file = record.toString('utf8')
      for (const place of [file, ...foldersAbove(file)]) {
        if (wanted.has(place) && !found.has(place)) found.set(place, file)
      }
    }
    if (found.size === wanted.size) break
  }
  return found
}
