import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

/** The first `limit` files that git itself tracks at `path` or below it; `''` is the root. For messages. */
export async function trackedPathsUnder(
  repository: Repository,
  path: string,
  limit: number,
): Promise<string[]> {
  const args = ['ls-files', '-z', '--cached', '--', ...(path === '' ? [] : [path])]
  const paths = new Set<string>()
  for await (const records of splitRecords(streamGit(repository.root, args))) {
    for (const record of records) {
      if (paths.size === limit) return [...paths]
      paths.add(record.toString('utf8'))
    }
  }
  return [...paths]
}
