import { existsSync, realpathSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { VarveError } from '../errors.ts'
import type { Repository } from './repository.ts'

/**
 * The root-relative path, with slashes, of what a user calls `userPath` from where the user stands; `''` is
 * the root. Symbolic links on the way to it are followed, a link at its end is meant itself. It need not
 * exist.
 *
 * @throws OUTSIDE_REPOSITORY when it lies elsewhere, or in a git repository nested in this one;
 *   UNSUPPORTED_FILE inside a `.git` folder; USAGE when it is empty.
 */
export function repositoryPathOf(repository: Repository, userPath: string): string {
  if (userPath === '' || userPath.includes('\0')) {
    throw new VarveError('USAGE', `not a path: ${JSON.stringify(userPath)}`)
  }
  const absolute = resolve(repository.root, repository.prefix, userPath)
  if (absolute === repository.root || realPathOf(absolute) === repository.root) return ''
  const real = join(realPathOf(dirname(absolute)), basename(absolute))
  const path = relative(repository.root, real)
  if (path === '..' || path.startsWith(`..${sep}`) || isAbsolute(path)) {
    throw new VarveError('OUTSIDE_REPOSITORY', `${userPath} lies outside the repository ${repository.root}`, {
      hint: 'Name a path inside the repository, or run varve in the repository that it lies in.',
    })
  }
  const segments = path.split(sep)
  refuseGitFolder(repository, { real, segments, userPath })
  refuseNestedRepository(repository, { segments, userPath })
  return segments.join('/')
}

/** The path with every link in it followed, as far as it exists. */
function realPathOf(path: string): string {
  try {
    return realpathSync.native(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPathOf(parent), basename(path))
  }
}

function refuseGitFolder(
  repository: Repository,
  path: { real: string; segments: readonly string[]; userPath: string },
): void {
  const isInside = (folder: string) => path.real === folder || path.real.startsWith(folder + sep)
  const isNamedGit = path.segments.some((segment) => segment.toLowerCase() === '.git')
  if (!isNamedGit && !isInside(repository.gitDir) && !isInside(repository.commonDir)) return
  throw new VarveError('UNSUPPORTED_FILE', `${path.userPath} belongs to git itself`, {
    hint: "Name a path outside git's own folder.",
  })
}

function refuseNestedRepository(
  repository: Repository,
  path: { segments: readonly string[]; userPath: string },
): void {
  let folder = repository.root
  for (const segment of path.segments.slice(0, -1)) {
    folder = join(folder, segment)
    if (!existsSync(join(folder, '.git'))) continue
    throw new VarveError('OUTSIDE_REPOSITORY', `${path.userPath} lies in another git repository: ${folder}`, {
      hint: 'Run varve in that repository.',
    })
  }
}
