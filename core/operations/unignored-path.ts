import { VarveError } from '../errors.ts'
import { checkIgnored } from '../git/check-ignored.ts'
import { type Project, toRepositoryPath } from '../project.ts'

/**
 * The root-relative path of a folder that `git add .` would look into: one in the work tree that git does not ignore,
 * whether it is there yet or not. Undefined for any other.
 */
export async function unignoredPathOf(project: Project, folder: string): Promise<string | undefined> {
  let path: string
  try {
    path = toRepositoryPath(project, folder)
  } catch (error) {
    if (error instanceof VarveError) return undefined
    throw error
  }
  if (path === '') return path
  // With the slash, rules for directories alone hold for one that is not there.
  const ignored = await checkIgnored(project.repository, [`${path}/`])
  return ignored.size > 0 ? undefined : path
}
