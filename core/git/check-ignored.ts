import type { Repository } from './repository.ts'
import { splitRecords } from './split-records.ts'
import { streamGit } from './stream-git.ts'

/** Those of `paths` that git ignores. A path that git tracks is not ignored, whatever a rule says. */
export async function checkIgnored(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  const ignored = new Set<string>()
  if (paths.length === 0) return ignored
  // `check-ignore` knows no literal pathspecs; after `./` a leading `:` has no meaning.
  const output = streamGit(repository.root, ['check-ignore', '-z', '--stdin'], {
    input: paths.map((path) => `./${path}\0`).join(''),
    okExitCodes: [0, 1],
    pathspecs: 'glob',
  })
  for await (const records of splitRecords(output)) {
    for (const record of records) ignored.add(record.toString('utf8', 2))
  }
  return ignored
}
